//! The function's log: one JSON object a line on stdout, which Lambda brings to CloudWatch Logs.
//!
//! `{"timestamp":…,"level":"INFO","message":…,"requestId":…, fields}`: the members that Lambda's own
//! JSON format has, so that filter patterns such as `{ $.level = "ERROR" }` serve.

use std::io::Write;
use std::sync::Mutex;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Writes events; spans are not needed, since an environment has one invocation at a time.
pub struct Lines {
    /// The most detailed level of our own code that is written; others' code speaks up from WARN.
    level: Level,
}

/// The request that is being worked on.
static REQUEST: Mutex<Option<String>> = Mutex::new(None);

/// From now on lines belong to this request.
pub fn request(id: &str) {
    *REQUEST.lock().unwrap_or_else(|e| e.into_inner()) = Some(id.to_owned());
}

impl Lines {
    /// `level` in Lambda's or Rust's spelling (`AWS_LAMBDA_LOG_LEVEL`); INFO unless it is one.
    pub fn new(level: Option<&str>) -> Lines {
        Lines { level: level.and_then(|level| level.parse().ok()).unwrap_or(Level::INFO) }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let most =
            if metadata.target().starts_with("ward") { self.level } else { self.level.min(Level::WARN) };
        metadata.is_event() && *metadata.level() <= most
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        let request = REQUEST.lock().unwrap_or_else(|e| e.into_inner()).clone();
        let mut line = Map::new();
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        line.insert("timestamp".into(), now.into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("message".into(), message);
        if let Some(request) = request {
            line.insert("requestId".into(), request.into());
        }
        line.append(&mut fields.0);
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // A log that cannot be written has nowhere to be told.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // `counts` and the like arrive as JSON texts and stay JSON.
        let json = if value.starts_with('{') { serde_json::from_str(value).ok() } else { None };
        self.0.insert(field.name().to_owned(), json.unwrap_or_else(|| value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
