//! Lambda: the pipeline's function.

use std::collections::BTreeMap;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, FunctionConfiguration, LogType, Runtime};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::error::{Error, Kind};
use super::link::Link;

#[derive(Clone)]
pub struct Lambda {
    client: aws_sdk_lambda::Client,
    link: Link,
}

/// A function as GetFunction describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub arn: String,
    pub runtime: Option<String>,
    pub handler: Option<String>,
    pub role_arn: Option<String>,
    pub timeout_seconds: Option<u32>,
    pub memory_mib: Option<u32>,
    /// `Active`, `Pending`, `Failed` …
    pub state: Option<String>,
    /// Base64 of the package's SHA-256.
    pub code_sha256: Option<String>,
    pub environment: BTreeMap<String, String>,
}

/// A function to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFunction {
    pub name: String,
    pub role_arn: String,
    /// A zip with an executable `bootstrap`.
    pub package: Bytes,
    pub timeout_seconds: u32,
    pub memory_mib: u32,
    pub environment: BTreeMap<String, String>,
    pub description: String,
}

/// What an invocation answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoked {
    pub status: u16,
    /// `Unhandled` or `Handled` when the function failed.
    pub error: Option<String>,
    pub payload: Value,
    /// The last 4 KiB of the log.
    pub log: Option<String>,
}

impl Lambda {
    pub(super) fn new(client: aws_sdk_lambda::Client, link: Link) -> Self {
        Lambda { client, link }
    }

    /// `None` when there is no function of that name.
    pub async fn get_function(&self, name: &str) -> Result<Option<Function>, Error> {
        let request = self.client.get_function().function_name(name);
        match self.link.ask("GetFunction", request.send()).await {
            Ok(answer) => match answer.configuration {
                Some(configuration) => Ok(Some(function_of(configuration))),
                None => Err(Error::answer("GetFunction", "the answer has no Configuration")),
            },
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The function's ARN. The package runs on `provided.al2023` as `bootstrap`.
    pub async fn create_function(&self, new: &NewFunction) -> Result<String, Error> {
        let code = FunctionCode::builder().zip_file(Blob::new(new.package.to_vec())).build();
        let request = self
            .client
            .create_function()
            .function_name(&new.name)
            .role(&new.role_arn)
            .runtime(Runtime::Providedal2023)
            .handler("bootstrap")
            .code(code)
            .timeout(new.timeout_seconds as i32)
            .memory_size(new.memory_mib as i32)
            .description(&new.description)
            .environment(environment(&new.environment));
        let answer = self.link.ask("CreateFunction", request.send()).await?;
        answer.function_arn.ok_or_else(|| Error::answer("CreateFunction", "the answer has no FunctionArn"))
    }

    pub async fn update_function_code(&self, name: &str, package: Bytes) -> Result<(), Error> {
        let request =
            self.client.update_function_code().function_name(name).zip_file(Blob::new(package.to_vec()));
        self.link.ask("UpdateFunctionCode", request.send()).await?;
        Ok(())
    }

    /// Replaces the function's environment variables.
    pub async fn update_function_configuration(
        &self,
        name: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let request = self
            .client
            .update_function_configuration()
            .function_name(name)
            .environment(environment(variables));
        self.link.ask("UpdateFunctionConfiguration", request.send()).await?;
        Ok(())
    }

    /// Calls the function and waits for its answer.
    pub async fn invoke(&self, name: &str, payload: &Value) -> Result<Invoked, Error> {
        let request = self
            .client
            .invoke()
            .function_name(name)
            .log_type(LogType::Tail)
            .payload(Blob::new(payload.to_string().into_bytes()));
        let answer = self.link.ask("Invoke", request.send()).await?;
        let bytes = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let payload = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes)
                .map_err(|_| Error::answer("Invoke", "the function's answer is not JSON"))?,
        };
        let log = answer
            .log_result
            .and_then(|log| STANDARD.decode(log).ok())
            .map(|log| String::from_utf8_lossy(&log).into_owned());
        Ok(Invoked {
            status: answer.status_code.clamp(0, 999) as u16,
            error: answer.function_error,
            payload,
            log,
        })
    }

    /// Lets a service call the function; a statement of that id that is there already is fine.
    pub async fn add_permission(
        &self,
        name: &str,
        statement_id: &str,
        principal: &str,
        source_arn: &str,
        source_account: Option<&str>,
    ) -> Result<(), Error> {
        let request = self
            .client
            .add_permission()
            .function_name(name)
            .statement_id(statement_id)
            .action("lambda:InvokeFunction")
            .principal(principal)
            .source_arn(source_arn)
            .set_source_account(source_account.map(str::to_owned));
        match self.link.ask("AddPermission", request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::Conflict => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn environment(variables: &BTreeMap<String, String>) -> Environment {
    let variables = variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Environment::builder().set_variables(Some(variables)).build()
}

fn function_of(configuration: FunctionConfiguration) -> Function {
    let number = |value: Option<i32>| value.map(|value| value.max(0) as u32);
    let variables = configuration.environment.and_then(|environment| environment.variables);
    Function {
        name: configuration.function_name.unwrap_or_default(),
        arn: configuration.function_arn.unwrap_or_default(),
        runtime: configuration.runtime.map(|runtime| runtime.as_str().to_owned()),
        handler: configuration.handler,
        role_arn: configuration.role,
        timeout_seconds: number(configuration.timeout),
        memory_mib: number(configuration.memory_size),
        state: configuration.state.map(|state| state.as_str().to_owned()),
        code_sha256: configuration.code_sha256,
        environment: variables.unwrap_or_default().into_iter().collect(),
    }
}
