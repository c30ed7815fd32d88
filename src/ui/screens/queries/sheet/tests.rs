use super::*;
use crate::domain::grid::Column;
use crate::ui::screens::queries::tests::world;

const AREA: Rect = Rect { x: 0, y: 0, width: 40, height: 11 };

fn sheet(columns: usize, rows: usize, next: Option<&str>) -> Sheet {
    let column =
        |n: usize| Column { name: format!("column_{n}"), type_name: "bigint".into(), kind: Kind::Number };
    let row = |n: usize| (0..columns).map(|column| Some(format!("{}", n * 10 + column))).collect();
    let grid = Grid { columns: (0..columns).map(column).collect(), rows: (0..rows).map(row).collect() };
    Sheet::new(grid, next.map(str::to_owned))
}

#[test]
fn a_total_that_is_not_known_is_not_claimed() {
    assert_eq!(sheet(1, 250, None).count(), "250 rows");
    assert_eq!(sheet(1, 1, None).count(), "1 row");
    assert_eq!(sheet(1, 1000, Some("t")).count(), "1,000 of ? rows");
}

#[test]
fn the_next_page_is_asked_for_before_the_end_and_once() {
    let mut world = world();
    let mut sheet = sheet(1, 100, Some("t"));
    assert_eq!(sheet.act(&mut world, "q", Action::Down, AREA), Some(Vec::new()));
    let wishes = sheet.act(&mut world, "q", Action::Last, AREA).unwrap();
    let request = Request::Results { id: "q".into(), token: Some("t".into()) };
    assert!(matches!(&wishes[..], [Wish::Do(Effect::Ask(_, asked))] if *asked == request), "{wishes:?}");
    assert_eq!(sheet.act(&mut world, "q", Action::Up, AREA), Some(Vec::new()));
    let page = Grid { columns: Vec::new(), rows: vec![vec![Some("1".into())]; 50] };
    sheet.extend(&mut world, page, None);
    assert_eq!(sheet.count(), "150 rows");
    assert_eq!(sheet.row.selected, 98);
}

#[test]
fn columns_scroll_so_that_the_selected_one_is_in_view() {
    let mut sheet = sheet(9, 5, None);
    // Nine letters and room for the mark of sorting: three columns of ten cells fit into 40.
    let columns = |sheet: &Sheet| sheet.layout(40).iter().map(|(index, _, _)| *index).collect::<Vec<_>>();
    assert_eq!(columns(&sheet)[..3], [0, 1, 2]);
    sheet.column = 5;
    sheet.reveal(AREA);
    assert!(sheet.left > 0 && columns(&sheet).contains(&5), "{:?}", columns(&sheet));
    sheet.column = 0;
    sheet.reveal(AREA);
    assert_eq!(sheet.left, 0);
    for width in 0..60 {
        for (_, x, cells) in sheet.layout(width) {
            assert!(x + cells <= width, "{width}");
        }
    }
}

#[test]
fn sorting_goes_up_down_and_away() {
    let mut world = world();
    let mut sheet = sheet(2, 3, None);
    assert_eq!(sheet.sort_by(&mut world, 1).len(), 1);
    let ticket = sheet.arranging.awaited().unwrap();
    assert!(sheet.arranged(&world, ticket, &[2, 0, 7], AREA));
    assert_eq!((sheet.len(), sheet.cell(0, 0)), (2, Some(Some("20"))));
    sheet.sort_by(&mut world, 1);
    assert_eq!(sheet.sort, Some((1, true)));
    sheet.sort_by(&mut world, 1);
    assert_eq!((sheet.sort, sheet.len()), (None, 3));
    assert_eq!(world.superseded.len(), 1);
}

#[test]
fn what_describe_answers_is_put_into_columns() {
    let mut grid = (*sheet(3, 0, None).grid).clone();
    let line = "facility_id         \tstring              \t                    ";
    grid.rows = vec![vec![Some(line.into()), None, None], vec![None, None, None]];
    untab(&mut grid);
    let text = |cell: &str| Some(cell.to_owned());
    assert_eq!(grid.rows[0], [text("facility_id"), text("string"), text("")]);
    assert_eq!(grid.rows[1], [None, None, None]);
}

#[test]
fn bars_follow_the_order() {
    let mut sheet = sheet(2, 3, None);
    assert!(sheet.has_bars() && sheet.toggle_bars(AREA));
    sheet.arranging.ask(crate::ui::remote::Ticket { owner: None, number: 1 });
    sheet.arranged(&world(), crate::ui::remote::Ticket { owner: None, number: 1 }, &[1], AREA);
    assert_eq!(sheet.bars.as_ref().map(Vec::len), Some(1));
    assert!(sheet.toggle_bars(AREA) && sheet.bars.is_none());
    assert!(!super::Sheet::new(Grid::default(), None).has_bars());
}
