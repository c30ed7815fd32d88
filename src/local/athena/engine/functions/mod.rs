//! Functions by the names that [`super::rewrite`] leaves in the tree: the engine's own where they do
//! what Trino's do, ours where they do not.

mod arithmetic;
mod arrays;
mod best;
mod binary;
mod bits;
mod cast;
mod chain;
mod choices;
mod dates;
mod decimals;
mod distances;
mod document;
mod durations;
mod equality;
mod format;
mod gathered;
mod higher;
mod iso;
mod joda;
mod json;
mod json_build;
mod json_cast;
mod lambda;
mod lazy;
mod listagg;
mod lists;
mod maps;
mod native;
mod numbers;
mod pairs;
mod parts;
mod pattern;
mod sequence;
mod strings;
mod sums;
mod text;
mod trims;
mod urls;
mod zones;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, WindowUDF};

pub use cast::convert;
pub use chain::{kind, longer};
pub use equality::comparison;
pub use json_cast::write as write_json;
pub use lazy::{lazy, terms};
pub use maps::holds_map;
pub use native::udf;
pub use zones::stamp;

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
        if let Some(now) = scalar.get("now").cloned() {
            scalar.insert("$now".to_owned(), now);
        }
        for function in ours() {
            scalar.insert(function.name().to_owned(), Arc::new(function));
        }
        let mut higher_order = HashMap::new();
        for function in datafusion::functions_nested::all_default_higher_order_functions() {
            higher_order.insert(function.name().to_owned(), function);
        }
        for function in lambda::all().into_iter().chain(higher::all()) {
            higher_order.insert(function.name().to_owned(), Arc::new(function));
        }
        let mut aggregate = HashMap::new();
        for function in datafusion::functions_aggregate::all_default_aggregate_functions() {
            for alias in function.aliases() {
                aggregate.insert(alias.clone(), function.clone());
            }
            aggregate.insert(function.name().to_owned(), function);
        }
        for name in ["avg", "sum"] {
            if let Some(inner) = aggregate.get(name).cloned() {
                aggregate.insert(name.to_owned(), Arc::new(decimals::of(inner)));
            }
        }
        for function in best::all() {
            aggregate.insert(function.name().to_owned(), Arc::new(function));
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

/// Our functions of values.
fn ours() -> Vec<ScalarUDF> {
    let all = [
        arithmetic::all(),
        arrays::all(),
        binary::all(),
        bits::all(),
        cast::all(),
        dates::all(),
        choices::all(),
        distances::all(),
        durations::all(),
        equality::all(),
        gathered::all(),
        iso::all(),
        json::all(),
        json_build::all(),
        listagg::all(),
        lists::all(),
        maps::all(),
        numbers::all(),
        pairs::all(),
        parts::all(),
        strings::all(),
        text::all(),
        trims::all(),
        urls::all(),
        zones::all(),
    ];
    all.into_iter().flatten().collect()
}

/// Whether a function of ours goes by Trino's name.
pub fn has(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let higher = lambda::all().into_iter().chain(higher::all()).map(|f| f.name().to_owned());
        let scalar = ours().into_iter().map(|f| f.name().to_owned());
        scalar.chain(higher).chain(best::all().into_iter().map(|f| f.name().to_owned())).collect()
    });
    NAMES.contains(name)
}

/// The function of an operator between these types, where the engine's own operator will not do.
pub fn arithmetic(symbol: &str, left: &DataType, right: &DataType) -> Option<ScalarUDF> {
    let name = arithmetic::name(symbol)?;
    arithmetic::result(symbol, &[left.clone(), right.clone()])?;
    arithmetic::all().into_iter().find(|f| f.name() == name)
}

/// JSON as Trino writes it; `None` when it is none.
pub fn json(text: &str) -> Option<String> {
    json::canonical(text)
}

/// `of[index]`.
pub fn subscript() -> ScalarUDF {
    udf(arrays::SUBSCRIPT)
}

/// The same value, with the keys of its maps in order.
pub fn in_order(of: Expr) -> Expr {
    udf(maps::IN_ORDER).call(vec![of])
}

/// A text without the spaces at its end.
pub fn unpadded(of: Expr) -> Expr {
    datafusion::functions::string::expr_fn::rtrim(vec![of, datafusion::logical_expr::lit(" ")])
}

/// The one value of an array that may have one at most.
pub fn single(of: Expr) -> Expr {
    udf(gathered::SINGLE).call(vec![of])
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
