//! Lists that a query makes up, such as `sequence(1, 10000)` beside each row: for a whole batch at once they
//! would take gigabytes and minutes. They are made for few rows at a time, as many as make about a batch.
//!
//! What multiplies rows also lets others have their turn between two batches, and a query end there: the
//! engine does so only where rows come in.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
    apply_expression_roots, replace_children_if_necessary,
};
use futures::StreamExt;

use super::scan::fail;
use super::threads;

/// Rows of the first slice of a query.
const FIRST: usize = 16;

/// Slices grow while their lists stay below so many elements, and shrink when they have four times as many.
const FEW: usize = 32_768;

/// Puts [`Sliced`] under each UNNEST of lists that are made up, and turns into what multiplies rows.
#[derive(Debug)]
pub struct Slices;

impl PhysicalOptimizerRule for Slices {
    fn name(&self) -> &str {
        "slices"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let done = plan.transform_up(|plan| {
            if let Some(unnest) = plan.downcast_ref::<UnnestExec>() {
                let unnest = match sliced(unnest.input())? {
                    Some(input) => over(&plan, input)?,
                    None => plan,
                };
                return Ok(Transformed::yes(Arc::new(CooperativeExec::new(unnest)) as _));
            }
            let joins = plan.is::<CrossJoinExec>()
                || plan.is::<NestedLoopJoinExec>()
                || plan.is::<HashJoinExec>()
                || plan.is::<SortMergeJoinExec>();
            if joins {
                return Ok(Transformed::yes(Arc::new(CooperativeExec::new(plan)) as _));
            }
            Ok(Transformed::no(plan))
        });
        done.map(|done| done.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The same node over another input.
fn over(node: &Arc<dyn ExecutionPlan>, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    replace_children_if_necessary(node.clone(), vec![input])
}

/// The input of an UNNEST whose lists are made up, in slices. What only hands rows to other threads goes
/// below it: it gathers small batches into large ones.
fn sliced(input: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let hands_on = input
        .downcast_ref::<RepartitionExec>()
        .filter(|of| matches!(of.partitioning(), Partitioning::RoundRobinBatch(_)))
        .map(RepartitionExec::input);
    let projection = hands_on.unwrap_or(input);
    let Some(of) = projection.downcast_ref::<ProjectionExec>().filter(|of| makes_lists(of)) else {
        return Ok(None);
    };
    let (source, properties) = match hands_on {
        Some(_) => {
            let source = over(input, of.input().clone())?;
            let projection = over(projection, source.clone())?;
            (source, projection.properties().clone())
        }
        None => (of.input().clone(), projection.properties().clone()),
    };
    Ok(Some(Arc::new(Sliced { expressions: of.expr().to_vec(), input: source, properties })))
}

/// Whether a list of the projection is not simply a column of its input.
fn makes_lists(of: &ProjectionExec) -> bool {
    of.expr().iter().zip(of.schema().fields()).any(|(projected, field)| {
        matches!(field.data_type(), DataType::List(_) | DataType::Map(..)) && !projected.expr.is::<Column>()
    })
}

/// A projection that works on few rows at a time.
#[derive(Debug)]
struct Sliced {
    expressions: Vec<ProjectionExpr>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for Sliced {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let shown: Vec<String> =
            self.expressions.iter().map(|e| format!("{} as {}", e.expr, e.alias)).collect();
        write!(f, "SlicedExec: expr=[{}]", shown.join(", "))
    }
}

impl ExecutionPlan for Sliced {
    fn name(&self) -> &str {
        "SlicedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.expressions.iter().map(|e| &e.expr), f)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().unwrap_or_else(|| self.input.clone());
        let (expressions, properties) = (self.expressions.clone(), self.properties.clone());
        Ok(Arc::new(Sliced { expressions, input, properties }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let state = Slicing {
            input: self.input.execute(partition, context.clone())?,
            expressions: self.expressions.clone(),
            schema: self.schema(),
            batch: None,
            next: FIRST,
            most: context.session_config().batch_size(),
        };
        let batches = futures::stream::try_unfold(state, |mut state| async move {
            let batch = state.batch().await?;
            Ok(batch.map(|batch| (batch, state)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

struct Slicing {
    input: SendableRecordBatchStream,
    expressions: Vec<ProjectionExpr>,
    schema: SchemaRef,
    /// What is left of the current batch.
    batch: Option<RecordBatch>,
    /// Rows of the next slice.
    next: usize,
    most: usize,
}

impl Slicing {
    async fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let batch = loop {
            match self.batch.take().filter(|batch| batch.num_rows() > 0) {
                Some(batch) => break batch,
                None => match self.input.next().await {
                    Some(batch) => self.batch = Some(batch?),
                    None => return Ok(None),
                },
            }
        };
        threads::check().map_err(fail)?;
        let rows = self.next.min(batch.num_rows());
        self.batch = Some(batch.slice(rows, batch.num_rows() - rows));
        let made = self.project(&batch.slice(0, rows))?;
        let elements: usize = made.columns().iter().map(elements).sum();
        if elements < FEW {
            self.next = (self.next * 2).min(self.most);
        } else if elements > FEW * 4 {
            self.next = (self.next / 4).max(1);
        }
        Ok(Some(made))
    }

    fn project(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.expressions.iter().map(|e| e.expr.evaluate(rows)?.into_array(rows.num_rows()));
        let count = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &count)?)
    }
}

/// How many elements the lists of a column have.
fn elements(column: &ArrayRef) -> usize {
    let count = |offsets: &[i32]| match offsets {
        [first, .., last] => usize::try_from(last - first).unwrap_or(0),
        _ => 0,
    };
    match column.data_type() {
        DataType::List(_) => count(column.as_list::<i32>().value_offsets()),
        DataType::Map(..) => count(column.as_map().value_offsets()),
        _ => 0,
    }
}
