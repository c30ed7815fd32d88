//! Task tokens: SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::{States, arn, validate};
use crate::asl::cursor::Ticket;
use crate::asl::data::{Data, LIMIT};
use crate::asl::failure::Failure;
use crate::asl::step::{Progress, What};
use crate::asl::syntax;
use crate::asl::task::read_token;

fn invalid() -> Fault {
    Fault::client("InvalidToken", "Invalid Token: 'Invalid token'")
}

fn invalid_output(why: &str) -> Fault {
    Fault::client("InvalidOutput", format!("Invalid Output: '{why}'"))
}

/// The execution's key and the task's ticket.
fn read(token: &str) -> Result<(String, Ticket), Fault> {
    let (execution, ticket) = read_token(token).ok_or_else(invalid)?;
    match arn::read(&execution) {
        Ok(arn::Arn::Execution(key) | arn::Arn::Express(key)) => Ok((key, ticket)),
        _ => Err(invalid()),
    }
}

impl States {
    /// Tells the task that a token stands for.
    async fn tell(&self, input: &Value, what: impl FnOnce(Ticket) -> What) -> Result<Value, Fault> {
        let token = validate::text(input, "taskToken")?;
        let (key, ticket) = read(token)?;
        if !self.driver.awaits(&key, ticket, token).await {
            return Err(Fault::client(
                "TaskTimedOut",
                "Task Timed Out: 'Provided task does not exist anymore'",
            ));
        }
        self.driver.clone().deliver(key, what(ticket)).await.map(|()| json!({}))
    }

    pub(super) async fn send_task_success(&self, input: &Value) -> Result<Value, Fault> {
        read(validate::text(input, "taskToken")?)?;
        let text = validate::text(input, "output")?;
        validate::secret(text, "output", LIMIT)?;
        let output = Data::parse(text).map_err(|e| invalid_output(&syntax::diagnostic(text, &e).message))?;
        if output.is_too_deep() {
            return Err(invalid_output("it is nested too deeply"));
        }
        self.tell(input, |ticket| What::Task(ticket, Progress::Succeeded(output))).await
    }

    pub(super) async fn send_task_failure(&self, input: &Value) -> Result<Value, Fault> {
        let error = validate::at_most(input, "error", 256)?;
        let cause = validate::at_most(input, "cause", 32_768)?;
        let failure = Failure { error, cause, ..Failure::default() };
        self.tell(input, |ticket| What::Task(ticket, Progress::Failed(failure))).await
    }

    pub(super) async fn send_task_heartbeat(&self, input: &Value) -> Result<Value, Fault> {
        self.tell(input, What::Heartbeat).await
    }
}
