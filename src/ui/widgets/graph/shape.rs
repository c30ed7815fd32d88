//! What of a definition is drawn: states, where they lead, and under which condition. Read leniently, so
//! that a definition that no check would accept can still be looked at.

use serde_json::{Map, Value};

/// One state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub name: String,
    /// `Task`, `Choice`, … as the definition says.
    pub kind: String,
    pub next: Option<String>,
    /// A Choice's ways: target and condition, rules to one target together; the default last.
    pub ways: Vec<(String, String)>,
    /// Targets of catchers.
    pub catches: Vec<String>,
    /// A Parallel's branches, a Map's processor.
    pub inner: Vec<Flow>,
}

/// States that run after each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    pub start: String,
    pub states: Vec<State>,
}

impl Flow {
    /// Reads a definition, a branch or a processor. What is missing stays empty.
    pub fn read(value: &Value) -> Flow {
        let states = value.get("States").and_then(Value::as_object);
        Flow {
            start: text(value, "StartAt"),
            states: states.into_iter().flatten().map(|(name, state)| State::read(name, state)).collect(),
        }
    }

    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name == name)
    }
}

impl State {
    fn read(name: &str, value: &Value) -> State {
        let list =
            |key: &str| value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut ways: Vec<(String, String)> = Vec::new();
        let mut way =
            |target: String, label: String| match ways.iter_mut().find(|(known, _)| *known == target) {
                Some((_, known)) => {
                    known.push_str(", ");
                    known.push_str(&label);
                }
                None => ways.push((target, label)),
            };
        for rule in list("Choices") {
            way(text(rule, "Next"), condition(rule));
        }
        if let Some(default) = value.get("Default").and_then(Value::as_str) {
            way(default.to_owned(), "otherwise".to_owned());
        }
        let mut catches: Vec<String> = list("Catch").iter().map(|catcher| text(catcher, "Next")).collect();
        catches.dedup();
        let processor = value.get("ItemProcessor").or_else(|| value.get("Iterator"));
        State {
            name: name.to_owned(),
            kind: text(value, "Type"),
            next: value.get("Next").and_then(Value::as_str).map(str::to_owned),
            ways,
            catches,
            inner: list("Branches").iter().chain(processor).map(Flow::read).collect(),
        }
    }
}

/// A state's own JSON, wherever in the definition it stands.
pub fn definition_of<'a>(definition: &'a Value, name: &str) -> Option<&'a Value> {
    let states = definition.get("States")?.as_object()?;
    if let Some(state) = states.get(name) {
        return Some(state);
    }
    states.values().find_map(|state| {
        let branches = state.get("Branches").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let processor = state.get("ItemProcessor").or_else(|| state.get("Iterator"));
        branches.iter().chain(processor).find_map(|inner| definition_of(inner, name))
    })
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A rule in a few words: `State = SUCCEEDED`, `n > 3 and not present`.
fn condition(rule: &Value) -> String {
    if let Some(condition) = rule.get("Condition").and_then(Value::as_str) {
        let inner = condition.trim().trim_start_matches("{%").trim_end_matches("%}");
        return inner.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let Some(rule) = rule.as_object() else { return String::new() };
    for (key, joint) in [("And", " and "), ("Or", " or ")] {
        if let Some(parts) = rule.get(key).and_then(Value::as_array) {
            return parts.iter().map(condition).collect::<Vec<_>>().join(joint);
        }
    }
    if let Some(inner) = rule.get("Not") {
        return format!("not {}", condition(inner));
    }
    comparison(rule)
}

fn comparison(rule: &Map<String, Value>) -> String {
    let variable = rule.get("Variable").and_then(Value::as_str).unwrap_or("$");
    let name =
        variable.rsplit(['.', '[']).next().unwrap_or(variable).trim_end_matches(']').trim_matches('\'');
    let name = if name.is_empty() { variable } else { name };
    let Some((operator, value)) = rule
        .iter()
        .find(|(key, _)| !matches!(key.as_str(), "Variable" | "Next" | "Comment" | "Assign" | "Output"))
    else {
        return name.to_owned();
    };
    let value = value
        .as_str()
        .map_or_else(|| value.to_string(), |text| text.rsplit('.').next().unwrap_or(text).to_owned());
    let operator = operator.strip_suffix("Path").unwrap_or(operator);
    if let Some(what) = operator.strip_prefix("Is") {
        let not = if value == "false" { "not " } else { "" };
        return format!("{name} is {not}{}", what.to_lowercase());
    }
    let sign = match operator {
        o if o.ends_with("LessThanEquals") => "≤",
        o if o.ends_with("GreaterThanEquals") => "≥",
        o if o.ends_with("LessThan") => "<",
        o if o.ends_with("GreaterThan") => ">",
        o if o.ends_with("Matches") => "~",
        _ => "=",
    };
    format!("{name} {sign} {value}")
}
