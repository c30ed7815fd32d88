//! Functions by the names that [`super::rewrite`] leaves in the tree: the engine's own where they do
//! what Trino's do, ours where they do not.

mod arrays;
pub mod cast;
mod dates;
mod format;
mod json;
mod lambda;
mod maps;
mod native;
mod parts;
mod sequence;
mod strings;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, WindowUDF};

pub use native::udf;

/// Every function a plan may use.
pub struct Functions {
    pub scalar: HashMap<String, Arc<ScalarUDF>>,
    pub higher_order: HashMap<String, Arc<HigherOrderUDF>>,
    pub aggregate: HashMap<String, Arc<AggregateUDF>>,
    pub window: HashMap<String, Arc<WindowUDF>>,
}

impl Functions {
    pub fn new() -> Functions {
        let mut scalar = HashMap::new();
        let engine = datafusion::functions::all_default_functions()
            .into_iter()
            .chain(datafusion::functions_nested::all_default_nested_functions());
        for function in engine {
            for alias in function.aliases() {
                scalar.insert(alias.clone(), function.clone());
            }
            scalar.insert(function.name().to_owned(), function);
        }
        let ours = [
            arrays::all(),
            cast::all(),
            dates::all(),
            parts::all(),
            json::all(),
            maps::all(),
            strings::all(),
        ];
        for function in ours.into_iter().flatten() {
            scalar.insert(function.name().to_owned(), Arc::new(function));
        }
        let mut higher_order = HashMap::new();
        for function in datafusion::functions_nested::all_default_higher_order_functions() {
            higher_order.insert(function.name().to_owned(), function);
        }
        for function in lambda::all() {
            higher_order.insert(function.name().to_owned(), Arc::new(function));
        }
        let mut aggregate = HashMap::new();
        for function in datafusion::functions_aggregate::all_default_aggregate_functions() {
            for alias in function.aliases() {
                aggregate.insert(alias.clone(), function.clone());
            }
            aggregate.insert(function.name().to_owned(), function);
        }
        let mut window = HashMap::new();
        for function in datafusion::functions_window::all_default_window_functions() {
            for alias in function.aliases() {
                window.insert(alias.clone(), function.clone());
            }
            window.insert(function.name().to_owned(), function);
        }
        Functions { scalar, higher_order, aggregate, window }
    }
}

/// A row's field.
pub fn field(of: Expr, name: &str) -> Expr {
    datafusion::functions::core::expr_fn::get_field(of, name)
}

/// For each row 1, 2, … up to the length of the longest array.
pub fn ordinals(arrays: Vec<Expr>) -> Expr {
    udf(arrays::ORDINALS).call(arrays)
}

/// `||` where at least one side is an array.
pub fn concat(left: Expr, left_type: &DataType, right: Expr, right_type: &DataType) -> Expr {
    use datafusion::functions_nested::expr_fn::{array_append, array_concat, array_prepend};
    let element = |t: &DataType| match t {
        DataType::List(of) => Some(of.data_type().clone()),
        _ => None,
    };
    match (element(left_type), element(right_type)) {
        (Some(_), Some(_)) => array_concat(vec![left, right]),
        (Some(_), None) => array_append(left, right),
        _ => array_prepend(left, right),
    }
}
