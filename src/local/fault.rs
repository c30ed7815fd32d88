//! A true AWS error on the wire: the client side cannot tell it from Amazon's.

use serde_json::{Map, Value};

/// The code of what is the cloud's own fault, as Athena spells it.
pub const INTERNAL: &str = "InternalServerException";

/// What a service answers when it cannot do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status: 400 for most client errors.
    pub status: u16,
    /// The error code in AWS's spelling: `InvalidRequestException`.
    pub code: String,
    pub message: String,
    /// Further members of the error shape.
    pub extra: Option<Box<Map<String, Value>>>,
}

impl Fault {
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Fault { status, code: code.into(), message: message.into(), extra: None }
    }

    /// Adds a member to the error shape.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.get_or_insert_default().insert(member.to_owned(), value.into());
        self
    }

    /// A client error with status 400.
    pub fn client(code: impl Into<String>, message: impl Into<String>) -> Self {
        Fault::new(400, code, message)
    }

    /// Something that is the cloud's own fault: status 500. On the wire each service has its own code for it.
    pub fn internal(message: impl Into<String>) -> Self {
        Fault::new(500, INTERNAL, message)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

impl From<super::store::Error> for Fault {
    fn from(error: super::store::Error) -> Self {
        Fault::internal(format!("the local cloud could not read or write its folder: {error}"))
    }
}
