//! EXPLAIN: the plan of a query as text, JSON or a graph, or whether it is valid at all.
//! <https://docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html>

use datafusion::logical_expr::LogicalPlan;
use datafusion_sql::sqlparser::ast::{Statement, UtilityOption};
use serde_json::{Value, json};

use super::arrow;
use crate::local::athena::failure::Failure;

/// What EXPLAIN is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    Json,
    Graphviz,
    /// `TYPE VALIDATE`: only whether it stands.
    Validate,
    /// EXPLAIN ANALYZE: the query is run, and what it took is told.
    Analyze,
}

/// Reads the options of an EXPLAIN; `None` for every other statement.
pub fn shape(statement: &Statement) -> Result<Option<Shape>, Failure> {
    let Statement::Explain { analyze, options, .. } = statement else { return Ok(None) };
    let mut shape = if *analyze { Shape::Analyze } else { Shape::Text };
    for UtilityOption { name, arg } in options.iter().flatten() {
        let value = arg.as_ref().map(ToString::to_string).unwrap_or_default().to_uppercase();
        shape = match (name.value.to_uppercase().as_str(), value.as_str()) {
            ("FORMAT", "TEXT") | ("TYPE", "LOGICAL" | "DISTRIBUTED") => shape,
            ("FORMAT", "JSON") => Shape::Json,
            ("FORMAT", "GRAPHVIZ") => Shape::Graphviz,
            ("TYPE", "VALIDATE") => Shape::Validate,
            (option, value) => {
                return Err(Failure::unsupported(format!("EXPLAIN with {option} {value} is not supported")));
            }
        };
    }
    Ok(Some(shape))
}

/// The one column of the answer.
pub fn column(shape: Shape) -> &'static str {
    if shape == Shape::Validate { "Valid" } else { "Query Plan" }
}

/// The lines of the answer.
pub fn lines(shape: Shape, plan: &LogicalPlan) -> Vec<String> {
    let text = match shape {
        Shape::Validate => "true".to_owned(),
        Shape::Graphviz => plan.display_graphviz().to_string(),
        Shape::Json => {
            let mut count = 0;
            let tree = json!({ "0": node(plan, &mut count) });
            serde_json::to_string_pretty(&tree).unwrap_or_default()
        }
        Shape::Text | Shape::Analyze => plan.display_indent().to_string(),
    };
    text.lines().map(str::to_owned).collect()
}

/// A node as Trino's JSON has it.
fn node(plan: &LogicalPlan, count: &mut usize) -> Value {
    let id = *count;
    *count += 1;
    let shown = plan.display().to_string();
    let (name, details) = shown.split_once(": ").unwrap_or((&shown, ""));
    let outputs: Vec<Value> = plan
        .schema()
        .fields()
        .iter()
        .map(|f| json!({ "symbol": f.name(), "type": arrow::of(f).trino() }))
        .collect();
    let children: Vec<Value> = plan.inputs().into_iter().map(|input| node(input, count)).collect();
    json!({
        "id": id.to_string(),
        "name": name,
        "descriptor": {},
        "outputs": outputs,
        "details": if details.is_empty() { Vec::new() } else { vec![details] },
        "estimates": [],
        "children": children,
    })
}
