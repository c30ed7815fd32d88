//! What a request can fail with, sorted by what a person can do about it.

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::connect::Target;
use crate::domain::problem::Problem;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// There are none, or they are wrong.
    Credentials,
    /// There were some, and they have expired.
    Expired,
    Permission,
    NotFound,
    Throttled,
    /// No answer: nobody listens, the name is unknown, it took too long.
    Unreachable,
    /// The service refused the input.
    Invalid,
    /// It is there already, or changed meanwhile.
    Conflict,
    /// Refused here, before it was sent.
    ReadOnly,
    /// The service's own failure, or an answer nobody understands.
    Service,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    /// AWS's name of the operation: `StartExecution`.
    pub operation: &'static str,
    /// The service's error code, or a word of ours when there was no answer.
    pub code: String,
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.operation, self.code, self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        error.problem()
    }
}

impl Error {
    /// An answer that lacks something the API promises.
    pub(super) fn answer(operation: &'static str, what: &str) -> Self {
        Error {
            kind: Kind::Service,
            operation,
            code: "UnexpectedAnswer".into(),
            message: what.into(),
            hint: None,
        }
    }

    /// Whether the same attempt may succeed later without any change.
    pub fn retry(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unreachable | Kind::Expired | Kind::Service)
    }

    /// The failure in the words of the person who has to deal with it.
    pub fn problem(&self) -> Problem {
        let title = match self.kind {
            Kind::Credentials => format!("No usable AWS credentials for {}", self.operation),
            Kind::Expired => "The AWS credentials have expired".to_owned(),
            Kind::Permission => format!("Not allowed: {}", self.operation),
            Kind::NotFound => format!("Not found ({})", self.operation),
            Kind::Throttled => format!("AWS asks for patience: {} is throttled", self.operation),
            Kind::Unreachable => format!("No answer to {}", self.operation),
            Kind::Invalid => format!("{} was refused", self.operation),
            Kind::Conflict => format!("{} met something that is there already", self.operation),
            Kind::ReadOnly => format!("{} was not sent", self.operation),
            Kind::Service => format!("{} failed", self.operation),
        };
        let detail = match (self.code.is_empty(), self.message.is_empty()) {
            (true, _) => self.message.clone(),
            (false, true) => self.code.clone(),
            (false, false) => format!("{}: {}", self.code, self.message),
        };
        Problem { title, detail, hint: self.hint.clone(), retry: self.retry() }
    }

    pub(super) fn from_sdk<E>(operation: &'static str, target: &Target, failure: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (kind, code, message) = match failure {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let meta = answer.err().meta();
                let code = meta.code().map_or_else(|| format!("Http{status}"), str::to_owned);
                let bare = if meta.code().is_none() { "the answer names no error of AWS" } else { "" };
                let message = meta.message().unwrap_or(bare).to_owned();
                (by_code(&code, status), code, message)
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                let text = innermost(failure);
                (Kind::Service, format!("Http{status}"), format!("the answer could not be read: {text}"))
            }
            SdkError::TimeoutError(_) => (Kind::Unreachable, "Timeout".into(), innermost(failure)),
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
                let whole = DisplayErrorContext(failure).to_string();
                let (kind, code) = match (failure, target) {
                    // The credentials are fixed: what is told is about the cloud's process, in any words.
                    (SdkError::DispatchFailure(_), Target::Local { .. }) => {
                        (Kind::Unreachable, "NoConnection")
                    }
                    _ => by_text(&whole, matches!(failure, SdkError::ConstructionFailure(_))),
                };
                (kind, code.into(), innermost(failure))
            }
            _ => (Kind::Service, "Unknown".into(), innermost(failure)),
        };
        let hint = hint(kind, &code, operation, target);
        Error { kind, operation, code, message, hint }
    }
}

/// The last error of the chain says what happened: `Connection refused (os error 111)`.
fn innermost(failure: &(dyn std::error::Error + 'static)) -> String {
    let mut error = failure;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn by_text(text: &str, construction: bool) -> (Kind, &'static str) {
    let text = text.to_ascii_lowercase();
    let has = |word: &str| text.contains(word);
    if has("expired") && (has("credential") || has("token") || has("sso")) {
        (Kind::Expired, "CredentialsExpired")
    } else if has("credential") || has("no providers in chain") || has("sso token") || has("identity") {
        (Kind::Credentials, "NoCredentials")
    } else if construction {
        (Kind::Invalid, "InvalidInput")
    } else {
        (Kind::Unreachable, "NoConnection")
    }
}

/// Sorted by the service's error code; where an answer has none (HEAD), by its HTTP status.
fn by_code(code: &str, status: u16) -> Kind {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Kind::Expired,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "AuthFailure" => Kind::Credentials,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AuthorizationError"
        | "AllAccessDisabled" => Kind::Permission,
        "NoSuchBucket" | "NoSuchKey" | "NotFound" | "NotFoundException" | "NoSuchUpload" => Kind::NotFound,
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "SlowDown"
        | "RequestLimitExceeded"
        | "LimitExceededException" => Kind::Throttled,
        "ConflictException"
        | "ResourceConflictException"
        | "ResourceInUseException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "OperationAborted" => Kind::Conflict,
        code if code.ends_with("AlreadyExists") || code.ends_with("AlreadyExistsException") => Kind::Conflict,
        // StateMachineDoesNotExist, ExecutionDoesNotExist, ResourceNotFoundException, MetadataException
        code if code.ends_with("DoesNotExist") || code.ends_with("NotFoundException") => Kind::NotFound,
        code if code.starts_with("Invalid")
            || code.starts_with("Malformed")
            || code.contains("Validation")
            || code.ends_with("NotRedrivable") =>
        {
            Kind::Invalid
        }
        _ => match status {
            401 => Kind::Credentials,
            403 => Kind::Permission,
            404 => Kind::NotFound,
            409 | 412 => Kind::Conflict,
            429 => Kind::Throttled,
            400..=499 => Kind::Invalid,
            _ => Kind::Service,
        },
    }
}

fn hint(kind: Kind, code: &str, operation: &str, target: &Target) -> Option<String> {
    let login = match target.profile() {
        Some(profile) => format!("aws sso login --profile {profile}"),
        None => "aws sso login".to_owned(),
    };
    Some(match kind {
        Kind::Expired => format!("Run `{login}`; ward picks the new credentials up by itself"),
        Kind::Credentials => match target {
            Target::Local { .. } => {
                "Ward signs with fixed credentials here: is the port another service's?".into()
            }
            _ => format!("Run `{login}`, or `aws configure`; `ward doctor` shows what was looked at"),
        },
        Kind::Permission => {
            format!("The identity needs the permission for {operation}: `ward doctor` lists them all")
        }
        Kind::NotFound => match code {
            "NoSuchBucket" => "Check --bucket, or run `ward doctor`".into(),
            "NoSuchKey" => "The key is not in the bucket: `ward facilities list` shows what is".into(),
            "StateMachineDoesNotExist" => {
                "Check --state-machine; `ward workflows list --machines` names them".into()
            }
            "ExecutionDoesNotExist" => {
                "`ward workflows list` names the executions; AWS keeps them for 90 days".into()
            }
            _ => "Run `ward doctor` to see what of the pipeline is there".into(),
        },
        Kind::Throttled => "Wait a moment: ward slows down by itself".into(),
        Kind::Unreachable => match target {
            Target::Local { .. } => {
                "The local cloud has ended; ward starts it again with the next request".into()
            }
            Target::Endpoint { url, .. } => format!("Is something listening at {url}? Check --endpoint-url"),
            Target::Aws { .. } => "Check the network, the region and any proxy".into(),
        },
        Kind::Service if code.starts_with("Http") => match target {
            Target::Endpoint { url, .. } => format!("{url} is not AWS: it may not know {operation}"),
            _ => return None,
        },
        Kind::Conflict if code == "ExecutionAlreadyExists" => {
            "Another name, or none: a name is free again 90 days after its execution ended".into()
        }
        // Athena has no code of its own for a query that is not there.
        Kind::Invalid if matches!(operation, "GetQueryExecution" | "StopQueryExecution") => {
            "`ward query list` names the queries; Athena keeps them for 45 days".into()
        }
        Kind::Invalid if code == "StateMachineTypeNotSupported" => {
            "Express executions are in no list and have no history: the console reads their log, \
             `ward --open workflows/<ARN of the state machine>`"
                .into()
        }
        Kind::Invalid | Kind::Conflict | Kind::ReadOnly | Kind::Service => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_code_and_then_by_status() {
        for (code, status, kind) in [
            ("ExpiredTokenException", 400, Kind::Expired),
            ("UnrecognizedClientException", 400, Kind::Credentials),
            ("AccessDenied", 403, Kind::Permission),
            ("StateMachineDoesNotExist", 400, Kind::NotFound),
            ("ResourceNotFoundException", 404, Kind::NotFound),
            ("ThrottlingException", 400, Kind::Throttled),
            ("ExecutionAlreadyExists", 400, Kind::Conflict),
            ("InvalidRequestException", 400, Kind::Invalid),
            ("Http404", 404, Kind::NotFound),
            ("Http503", 503, Kind::Service),
        ] {
            assert_eq!(by_code(code, status), kind, "{code}");
        }
    }

    #[test]
    fn names_the_remedy() {
        let target = Target::Aws { profile: Some("prod".into()), region: None };
        let hint = hint(Kind::Expired, "ExpiredToken", "ListExecutions", &target).unwrap();
        assert!(hint.contains("aws sso login --profile prod"), "{hint}");
    }

    #[test]
    fn an_endpoint_that_is_not_aws_may_not_know_everything() {
        let target = Target::Endpoint { url: "http://127.0.0.1:5000".into(), region: None, profile: None };
        let told = hint(Kind::Service, "Http500", "RedriveExecution", &target).unwrap();
        assert_eq!(told, "http://127.0.0.1:5000 is not AWS: it may not know RedriveExecution");
        let aws = Target::Aws { profile: None, region: None };
        assert_eq!(hint(Kind::Service, "Http500", "RedriveExecution", &aws), None);
    }

    #[test]
    fn reads_what_the_sdk_says_about_credentials() {
        let sso =
            "dispatch failure: other: an error occurred while loading credentials: the SSO token has expired";
        assert_eq!(by_text(sso, false).0, Kind::Expired);
        assert_eq!(by_text("no providers in chain provided credentials", true).0, Kind::Credentials);
        assert_eq!(by_text("dispatch failure: io error: Connection refused", false).0, Kind::Unreachable);
    }
}
