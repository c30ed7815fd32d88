//! Task tokens: SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::{States, arn, validate};
use crate::asl::cursor::Ticket;
use crate::asl::data::{Data, LIMIT};
use crate::asl::failure::Failure;
use crate::asl::step::{Progress, What};
use crate::asl::syntax;
use crate::asl::task::{Token, read_token};

fn invalid() -> Fault {
    Fault::client("InvalidToken", "Invalid Token: 'Invalid token'")
}

fn invalid_output(why: &str) -> Fault {
    Fault::client("InvalidOutput", format!("Invalid Output: '{why}'"))
}

/// The task that a token stands for.
struct Held {
    /// The execution's.
    key: String,
    ticket: Ticket,
    /// Somebody still waits for its answer.
    awaited: bool,
}

impl States {
    /// Reads `taskToken`. One that was never given out is invalid.
    async fn held(&self, input: &Value) -> Result<Held, Fault> {
        let token = validate::text(input, "taskToken")?;
        if token.is_empty() {
            let rule = "Member must have length greater than or equal to 1";
            return Err(validate::constraint(token, "taskToken", rule));
        }
        validate::at_most(input, "taskToken", 2048)?;
        let bus = self.bus()?;
        let Token { execution, ticket, genuine } =
            read_token(token, self.driver.secret(&bus).await?).ok_or_else(invalid)?;
        let key = match arn::read(&execution) {
            Ok(arn::Arn::Execution(key) | arn::Arn::Express(key)) => key,
            _ => return Err(invalid()),
        };
        let awaited = self.driver.awaits(&key, ticket, token).await;
        if awaited || genuine { Ok(Held { key, ticket, awaited }) } else { Err(invalid()) }
    }

    /// Tells the task that a token stands for.
    async fn tell(&self, held: Held, what: impl FnOnce(Ticket) -> What) -> Result<Value, Fault> {
        if !held.awaited {
            let why = "Task Timed Out: 'Provided task does not exist anymore'";
            return Err(Fault::client("TaskTimedOut", why));
        }
        self.driver.clone().deliver(held.key, what(held.ticket)).await.map(|()| json!({}))
    }

    pub(super) async fn send_task_success(&self, input: &Value) -> Result<Value, Fault> {
        let text = validate::text(input, "output")?;
        validate::secret(text, "output", LIMIT)?;
        let held = self.held(input).await?;
        let output = Data::parse(text).map_err(|e| invalid_output(&syntax::diagnostic(text, &e).message))?;
        if output.is_too_deep() {
            return Err(invalid_output("it is nested too deeply"));
        }
        self.tell(held, |ticket| What::Task(ticket, Progress::Succeeded(output))).await
    }

    pub(super) async fn send_task_failure(&self, input: &Value) -> Result<Value, Fault> {
        let error = validate::at_most(input, "error", 256)?;
        let cause = validate::at_most(input, "cause", 32_768)?;
        let failure = Failure { error, cause, ..Failure::default() };
        let held = self.held(input).await?;
        self.tell(held, |ticket| What::Task(ticket, Progress::Failed(failure))).await
    }

    pub(super) async fn send_task_heartbeat(&self, input: &Value) -> Result<Value, Fault> {
        self.tell(self.held(input).await?, What::Heartbeat).await
    }
}
