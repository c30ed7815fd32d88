//! What the planner asks for: tables of the catalog, functions, types and operators of Trino.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::common::{DFSchema, Result, TableReference, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::planner::{
    ContextProvider, ExprPlanner, PlannerResult, RawBinaryExpr, RelationPlanner, TypePlanner,
};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};
use datafusion_sql::parser::Statement as PlanStatement;
use datafusion_sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use datafusion_sql::sqlparser::ast::{DataType as SqlType, ObjectName, Query, Statement};

use super::check;
use super::derived::DerivedPlanner;
use super::functions::Functions;
use super::info;
use super::literals;
use super::operators;
use super::parse::{self, TYPE_MARK};
use super::pieces::Access;
use super::places::{self, Placed};
use super::rewrite;
use super::scan::{PATH, S3Table, fail};
use super::stars;
use super::unnest::UnnestPlanner;
use super::{arrow, columns};
use crate::local::athena::catalog::{Catalog, Table};
use crate::local::athena::failure::Failure;
use crate::local::athena::types::Type;

/// Views within views; a bound, so that two that name each other end.
const DEEPEST: usize = 16;

/// What one query is planned with.
#[derive(Clone)]
pub struct Context {
    pub catalog: Catalog,
    pub database: String,
    pub access: Access,
    /// Whether the text names `"$path"`.
    pub with_path: bool,
    pub functions: Arc<Functions>,
    pub options: Arc<ConfigOptions>,
    pub depth: usize,
}

impl Context {
    fn known(&self, name: &ObjectName) -> Option<Table> {
        let parts: Vec<String> =
            name.0.iter().filter_map(|p| p.as_ident()).map(|i| i.value.to_lowercase()).collect();
        let (table, database) = match parts.as_slice() {
            [table] => (table, &self.database),
            [.., database, table] => (table, database),
            [] => return None,
        };
        // What cannot be read fails when it is planned.
        self.catalog.table(database, table).ok().flatten()
    }
}

impl rewrite::Tables for Context {
    fn hides(&self, name: &ObjectName) -> bool {
        self.with_path && self.known(name).is_some_and(|table| !table.is_view())
    }

    fn columns(&self, name: &ObjectName) -> Option<Vec<String>> {
        let table = self.known(name)?;
        let columns = table.columns.iter().chain(&table.partitioned_by);
        Some(columns.map(|c| c.name.to_lowercase()).chain([PATH.to_owned()]).collect())
    }
}

/// A planned query.
pub struct Planned {
    pub plan: LogicalPlan,
    /// The columns' names where the text gives them.
    pub names: Vec<Option<String>>,
}

/// Plans a query, which is rewritten on the way.
pub fn plan(context: &Context, mut query: Query) -> Result<Planned> {
    check::growth(&query).map_err(fail)?;
    stars::expand(&mut query, context)?;
    let names = rewrite::query(&mut query, context).map_err(fail)?;
    let provider = Provider {
        context: context.clone(),
        expressions: vec![
            Arc::new(Operators),
            Arc::new(datafusion::functions::core::planner::CoreFunctionPlanner::default()),
            Arc::new(datafusion::functions_aggregate::planner::AggregateFunctionPlanner),
            Arc::new(datafusion::functions_window::planner::WindowFunctionPlanner),
        ],
        relations: vec![Arc::new(UnnestPlanner), Arc::new(DerivedPlanner)],
        types: Arc::new(Types),
    };
    let options = ParserOptions {
        parse_float_as_decimal: true,
        enable_ident_normalization: true,
        support_varchar_with_length: true,
        enable_options_value_normalization: false,
        map_string_types_to_utf8view: false,
        collect_spans: true,
        default_null_ordering: NullOrdering::NullsLast,
    };
    let statement = PlanStatement::Statement(Box::new(Statement::Query(Box::new(query))));
    let plan = SqlToRel::new_with_options(&provider, options).statement_to_plan(statement)?;
    Ok(Planned { plan, names })
}

struct Provider {
    context: Context,
    expressions: Vec<Arc<dyn ExprPlanner>>,
    relations: Vec<Arc<dyn RelationPlanner>>,
    types: Arc<dyn TypePlanner>,
}

impl Provider {
    fn table(&self, name: &TableReference) -> Result<Arc<dyn TableSource>, Failure> {
        let context = &self.context;
        let database = name.schema().unwrap_or(&context.database);
        if database == "information_schema" {
            return info::table(&context.catalog, name.table()).map(provider_as_source);
        }
        let missing = || {
            Failure::new(
                "TABLE_NOT_FOUND",
                format!("Table 'awsdatacatalog.{database}.{}' does not exist", name.table()),
            )
        };
        if name.catalog().is_some_and(|c| c != "awsdatacatalog") {
            let catalog = name.catalog().unwrap_or_default();
            return Err(Failure::new("CATALOG_NOT_FOUND", format!("Catalog '{catalog}' does not exist")));
        }
        if context.catalog.database(database)?.is_none() {
            return Err(Failure::new("SCHEMA_NOT_FOUND", format!("Schema '{database}' does not exist")));
        }
        if let Some(of) = name.table().strip_suffix("$partitions") {
            let table = context.catalog.table(database, of)?.filter(|t| !t.partitioned_by.is_empty());
            return info::partitions(&context.catalog, &table.ok_or_else(missing)?).map(provider_as_source);
        }
        let table = context.catalog.table(database, name.table())?.ok_or_else(missing)?;
        if let Some(sql) = &table.view {
            if context.depth >= DEEPEST {
                return Err(Failure::new("VIEW_IS_RECURSIVE", format!("View '{}' is recursive", table.name)));
            }
            let inner =
                Context { database: table.database.clone(), depth: context.depth + 1, ..context.clone() };
            let stale = |why: String| {
                Failure::new(
                    "VIEW_IS_STALE",
                    format!(
                        "View 'awsdatacatalog.{}.{}' is stale or in invalid state: {why}",
                        table.database, table.name
                    ),
                )
            };
            let Statement::Query(query) = parse::statement(sql, &[]).map_err(|e| stale(e.to_string()))?
            else {
                return Err(stale("its text is no query".into()));
            };
            let planned = plan(&inner, *query).map_err(|e| stale(e.strip_backtrace()))?;
            return Ok(provider_as_source(Arc::new(ViewTable::new(planned.plan, Some(sql.clone())))));
        }
        let table = S3Table::new(table, context.catalog.clone(), context.with_path, context.access.clone())?;
        Ok(provider_as_source(Arc::new(table)))
    }
}

impl ContextProvider for Provider {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        self.table(&name).map_err(fail)
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>> {
        let table = datafusion::datasource::cte_worktable::CteWorkTable::new(name, schema);
        Ok(provider_as_source(Arc::new(table)))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expressions
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relations
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(self.types.clone())
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.context.functions.scalar.get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.context.functions.higher_order.get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.context.functions.aggregate.get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.context.functions.window.get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.context.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.context.functions.scalar.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.context.functions.higher_order.keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.context.functions.aggregate.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.context.functions.window.keys().cloned().collect()
    }
}

/// Operators where the engine is laxer than Trino, or means something else.
#[derive(Debug)]
struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        mut expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let mut spot = None;
        if let Some((placed, at)) = places::read(&expr.op) {
            spot = at;
            match placed {
                Placed::Operator(op) => expr.op = op,
                Placed::Wrapper => {
                    check::expression(&expr.left, schema, spot)?;
                    return Ok(PlannerResult::Planned(expr.left));
                }
                Placed::Subscript => return operators::subscript(expr, schema, spot),
                Placed::Field => return operators::field(expr, schema, spot),
                Placed::Negation => {
                    let negated = Expr::Negative(Box::new(expr.left));
                    check::expression(&negated, schema, spot)?;
                    return Ok(PlannerResult::Planned(negated));
                }
            }
        }
        operators::plan(expr, schema, spot)
    }

    fn plan_struct_literal(&self, args: Vec<Expr>, _: bool) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(match literals::planned(&args).map_err(fail)? {
            Some(literal) => PlannerResult::Planned(literal),
            None => PlannerResult::Original(args),
        })
    }

    fn plan_array_literal(&self, exprs: Vec<Expr>, _: &DFSchema) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(datafusion::functions_nested::expr_fn::make_array(exprs)))
    }
}

/// Types of literals (`DATE '…'`, `TIMESTAMP '…'`) as Athena has them.
#[derive(Debug)]
struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let name = sql_type.to_string();
        let name = name.trim_matches('"');
        let name = name.strip_prefix(TYPE_MARK).unwrap_or(name);
        match Type::read(name) {
            Ok(kind) => Ok(Some(Arc::new(Field::new(columns::ITEM, arrow::to(&kind), true)))),
            Err(why) => plan_err!("Unknown type: {why}"),
        }
    }
}
