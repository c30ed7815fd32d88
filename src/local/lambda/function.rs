//! The record of a function, what is refused of it, and its description in the shape of the API.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::local::bus::ACCOUNT;
use crate::local::fault::Fault;

/// What the package of our own function holds as `bootstrap`; it is how the local cloud knows it.
const BOOTSTRAP: &str = "#!/bin/sh\nexec ward lambda\n";

/// The names Lambda sets itself.
const RESERVED: [&str; 19] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    pub runtime: String,
    pub role: String,
    pub handler: String,
    pub description: String,
    /// Seconds.
    pub timeout: u32,
    /// MB.
    pub memory: u32,
    pub variables: BTreeMap<String, String>,
    pub architectures: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub code: Code,
    pub modified: DateTime<Utc>,
    /// Changes with every update.
    pub revision: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Code {
    pub size: usize,
    /// SHA-256 in Base64.
    pub sha256: String,
    /// Whether the package is the one that runs this program.
    pub ours: bool,
}

impl Code {
    /// Looks into a package.
    pub fn of(package: &[u8]) -> Result<Code, Fault> {
        let mut archive = zip::ZipArchive::new(Cursor::new(package)).map_err(|_| {
            invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
        })?;
        let mut bootstrap = String::new();
        let ours = match archive.by_name("bootstrap") {
            // A little more than ours has: enough to know that it is another one.
            Ok(file) => {
                let read = file.take(BOOTSTRAP.len() as u64 + 1).read_to_string(&mut bootstrap);
                read.is_ok() && bootstrap == BOOTSTRAP
            }
            Err(_) => false,
        };
        Ok(Code { size: package.len(), sha256: BASE64_STANDARD.encode(Sha256::digest(package)), ours })
    }
}

impl Function {
    /// A function with Lambda's defaults, before [`Function::configure`].
    pub fn new(name: String, code: Code, now: DateTime<Utc>) -> Function {
        Function {
            name,
            runtime: String::new(),
            role: String::new(),
            handler: String::new(),
            description: String::new(),
            timeout: 3,
            memory: 128,
            variables: BTreeMap::new(),
            architectures: vec!["x86_64".into()],
            tags: BTreeMap::new(),
            code,
            modified: now,
            revision: Uuid::new_v4().to_string(),
        }
    }

    /// Takes what the input gives of a configuration; what it leaves out stays.
    pub fn configure(&mut self, input: &Value) -> Result<(), Fault> {
        for (member, field) in [
            ("Runtime", &mut self.runtime),
            ("Role", &mut self.role),
            ("Handler", &mut self.handler),
            ("Description", &mut self.description),
        ] {
            if let Some(value) = input[member].as_str() {
                value.clone_into(field);
            }
        }
        if !(self.role.starts_with("arn:") && self.role.contains(":role/")) {
            return Err(constraint(
                &self.role,
                "role",
                "satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
            ));
        }
        number(input, "Timeout", "timeout", 1..=900, &mut self.timeout)?;
        number(input, "MemorySize", "memorySize", 128..=10_240, &mut self.memory)?;
        if let Some(given) = input["Environment"].as_object() {
            self.variables = variables(given.get("Variables").and_then(Value::as_object))?;
        }
        Ok(())
    }

    pub fn changed(&mut self, now: DateTime<Utc>) {
        self.modified = now;
        self.revision = Uuid::new_v4().to_string();
    }

    pub fn arn(&self, region: &str) -> String {
        arn(region, &self.name)
    }

    pub fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.name)
    }

    /// FunctionConfiguration.
    pub fn describe(&self, region: &str) -> Value {
        let mut described = json!({
            "FunctionName": self.name,
            "FunctionArn": self.arn(region),
            "Runtime": self.runtime,
            "Role": self.role,
            "Handler": self.handler,
            "CodeSize": self.code.size,
            "Description": self.description,
            "Timeout": self.timeout,
            "MemorySize": self.memory,
            "LastModified": self.modified.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
            "CodeSha256": self.code.sha256,
            "Version": "$LATEST",
            "TracingConfig": { "Mode": "PassThrough" },
            "RevisionId": self.revision,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": self.architectures,
            "EphemeralStorage": { "Size": 512 },
            "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": self.log_group() },
        });
        if !self.variables.is_empty() {
            described["Environment"] = json!({ "Variables": self.variables });
        }
        described
    }
}

pub fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}")
}

/// The name within a name, a partial ARN or an ARN, without `$LATEST`.
pub fn name(given: &str) -> Result<String, Fault> {
    let mut rest = given;
    if let Some((_, after)) = given.split_once("function:") {
        rest = after;
    } else if let Some((account, after)) = given.split_once(':')
        && account == ACCOUNT
    {
        rest = after;
    }
    let rest = rest.strip_suffix(":$LATEST").unwrap_or(rest);
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !rest.is_empty() && rest.len() <= 64 && rest.chars().all(known) {
        true => Ok(rest.to_owned()),
        false => Err(constraint(
            given,
            "functionName",
            "satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?\
             (\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
        )),
    }
}

pub fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("InvalidParameterValueException", message)
}

fn constraint(value: &str, member: &str, rule: &str) -> Fault {
    Fault::client(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
        ),
    )
}

fn number(
    input: &Value,
    member: &str,
    name: &str,
    range: std::ops::RangeInclusive<u32>,
    field: &mut u32,
) -> Result<(), Fault> {
    let Some(given) = input.get(member).filter(|given| !given.is_null()) else { return Ok(()) };
    let rule = |end: &str, bound: &u32| format!("have value {end} than or equal to {bound}");
    match given.as_i64() {
        Some(value) if value < i64::from(*range.start()) => {
            Err(constraint(&given.to_string(), name, &rule("greater", range.start())))
        }
        Some(value) if value > i64::from(*range.end()) => {
            Err(constraint(&given.to_string(), name, &rule("less", range.end())))
        }
        Some(value) => {
            *field = u32::try_from(value).unwrap_or(*range.end());
            Ok(())
        }
        None => Err(constraint(&given.to_string(), name, "be an integer")),
    }
}

fn variables(given: Option<&Map<String, Value>>) -> Result<BTreeMap<String, String>, Fault> {
    let mut variables = BTreeMap::new();
    for (name, value) in given.into_iter().flatten() {
        let value = value
            .as_str()
            .ok_or_else(|| invalid(format!("Environment variable {name} must be a string.")))?;
        variables.insert(name.clone(), value.to_owned());
    }
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    let refusal = "Lambda was unable to configure your environment variables because the environment variables you have provided";
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "{refusal} contains reserved keys that are currently not supported for modification. \
             Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let named = |name: &str| {
        name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if let Some(name) = variables.keys().find(|name| !named(name)) {
        return Err(constraint(
            name,
            "environment.variables",
            "satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+",
        ));
    }
    if variables.values().any(|value| value.contains('\0')) {
        return Err(invalid("An environment variable must not hold a NUL character."));
    }
    if serde_json::to_vec(&variables).is_ok_and(|bytes| bytes.len() > 4096) {
        return Err(invalid(format!("{refusal} exceeded the 4KB limit.")));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_form() {
        for given in [
            "f-1",
            "000000000000:function:f-1",
            "function:f-1",
            "arn:aws:lambda:us-east-1:000000000000:function:f-1",
            "arn:aws:lambda:us-east-1:000000000000:function:f-1:$LATEST",
            "f-1:$LATEST",
        ] {
            assert_eq!(name(given).unwrap(), "f-1", "{given}");
        }
        for given in ["", "a b", "f:1", "../x"] {
            assert_eq!(name(given).unwrap_err().code, "ValidationException", "{given}");
        }
    }

    #[test]
    fn knows_our_package_and_takes_others() {
        assert!(Code::of(&crate::lambda::package()).unwrap().ours);
        let empty = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        assert!(!Code::of(empty).unwrap().ours);
        assert_eq!(Code::of(b"no zip").unwrap_err().code, "InvalidParameterValueException");
    }

    #[test]
    fn settings_are_checked_as_lambda_does() {
        let code = Code::of(&crate::lambda::package()).unwrap();
        let mut function = Function::new("f".into(), code, Utc::now());
        let role = "arn:aws:iam::000000000000:role/r";
        let mut refused = |input: Value| function.configure(&input).unwrap_err().message;
        assert!(refused(json!({"Role": "x"})).contains("at 'role'"));
        assert!(refused(json!({"Role": role, "Timeout": 901})).contains("less than or equal to 900"));
        assert!(refused(json!({"Role": role, "MemorySize": 64})).contains("greater than or equal to 128"));
        let reserved = json!({"Role": role, "Environment": {"Variables": {"AWS_REGION": "x"}}});
        assert!(refused(reserved).ends_with("Reserved keys used in this request: AWS_REGION"));
        let long = json!({"Role": role, "Environment": {"Variables": {"LONG": "x".repeat(5000)}}});
        assert!(refused(long).contains("4KB"));
    }
}
