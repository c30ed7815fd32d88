//! Our Lambda function, stage 3 of the pipeline: the same code on AWS and on the local cloud.
//!
//! May use `domain` and `aws`. [`run`] is the runtime's loop, [`event`] says who calls, [`handler`]
//! what is done about it, [`lines`] how it is logged.

pub mod event;
pub mod handler;
pub mod lines;

use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::aws::connect::from_environment;
pub use crate::domain::package::package;
use handler::{Settings, handle};

/// The variables Lambda sets and the runtime cannot do without.
const NEEDED: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// The first of Lambda's own variables that is missing: this is no execution environment then.
pub fn missing_variable() -> Option<&'static str> {
    NEEDED.into_iter().find(|name| std::env::var_os(name).is_none())
}

/// Serves invocations until the runtime API is gone. Needs what [`missing_variable`] looks for.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    // Only a second call in one process would find a subscriber in place; that one serves as well.
    let _ = tracing::subscriber::set_global_default(lines::Lines::new(level.as_deref()));
    let aws = from_environment().await;
    let invoke = |event: LambdaEvent<Value>| {
        let aws = aws.clone();
        async move {
            lines::request(&event.context.request_id);
            let settings = Settings::read(|name| std::env::var(name).ok())?;
            handle(&aws, &settings, &event.payload).await
        }
    };
    Runtime::new(service_fn(invoke)).run().await
}
