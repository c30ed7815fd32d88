//! The seam for JSONata: the one place that will know its evaluator.

use super::failure::Failure;

/// What an expression gives as long as there is no evaluator: definitions in JSONata are refused when
/// they are created, so an execution never meets this.
pub fn unavailable(source: &str) -> Failure {
    Failure::new(
        "States.QueryEvaluationError",
        format!("JSONata is not evaluated by the local cloud yet: '{source}'"),
    )
}
