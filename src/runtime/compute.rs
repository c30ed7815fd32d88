//! Work that is pure but long, off the loop.

use crate::domain::grid::{Grid, Kind};
use crate::ui::effect::{Job, Reply};

/// Does the job.
pub fn compute(job: &Job) -> Reply {
    match job {
        Job::Arrange { grid, needle, sort } => Reply::Arranged(arrange(grid, needle, *sort)),
        Job::List(listing) => Reply::Arranged(listing.order()),
    }
}

/// The rows of which some cell contains the needle, in the order of a column: numbers by value, NULL last.
fn arrange(grid: &Grid, needle: &str, sort: Option<(usize, bool)>) -> Vec<u32> {
    let needle = needle.to_lowercase();
    let matches = |row: &Vec<Option<String>>| {
        needle.is_empty() || row.iter().flatten().any(|cell| cell.to_lowercase().contains(&needle))
    };
    let rows = grid.rows.iter().enumerate().filter(|(_, row)| matches(row));
    let mut order: Vec<u32> = rows.map(|(index, _)| index as u32).collect();
    let Some((column, down)) = sort.filter(|(column, _)| *column < grid.columns.len()) else { return order };
    let cell = |index: u32| grid.rows[index as usize].get(column).and_then(Option::as_deref);
    if grid.columns[column].kind == Kind::Number {
        let value = |index| cell(index).and_then(|text| text.parse::<f64>().ok());
        order.sort_by(|a, b| last_none(value(*a), value(*b), down, f64::total_cmp));
    } else {
        order.sort_by(|a, b| last_none(cell(*a), cell(*b), down, |a, b| a.cmp(b)));
    }
    order
}

fn last_none<T>(
    a: Option<T>,
    b: Option<T>,
    down: bool,
    compare: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> std::cmp::Ordering {
    match (a, b) {
        (Some(a), Some(b)) if down => compare(&b, &a),
        (Some(a), Some(b)) => compare(&a, &b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Column;

    #[test]
    fn numbers_sort_by_value_and_null_last() {
        let rows = ["10", "9", "", "100"].map(|text| vec![(!text.is_empty()).then(|| text.to_string())]);
        let column = Column { name: "n".into(), type_name: "bigint".into(), kind: Kind::Number };
        let grid = Grid { columns: vec![column], rows: rows.to_vec() };
        assert_eq!(arrange(&grid, "", Some((0, false))), [1, 0, 3, 2]);
        assert_eq!(arrange(&grid, "", Some((0, true))), [3, 0, 1, 2]);
        assert_eq!(arrange(&grid, "0", None), [0, 3]);
    }
}
