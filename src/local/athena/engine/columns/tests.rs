use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A row of a number, texts, and numbers by number.
fn kind() -> DataType {
    let numbers = DataType::Map(entries(DataType::Int32, DataType::Int32), false);
    DataType::Struct(Fields::from(vec![
        Field::new("n", DataType::Int32, true),
        Field::new("list", DataType::List(item(DataType::Boolean)), true),
        Field::new("map", numbers, true),
        Field::new("row", DataType::Struct(vec![Field::new("d", DataType::Date32, true)].into()), true),
    ]))
}

/// Values of which some fit [`kind`] and some do not.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(7)),
        Just(json!("2026-01-31")),
        Just(json!("x"))
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            Just("n".to_owned()),
            Just("list".into()),
            Just("map".into()),
            Just("row".into()),
            Just("d".into()),
            Just("1".into())
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn push(column: &mut Column, value: &Value) -> bool {
    let text = value.to_string();
    column.push_json(text.as_bytes(), 0..text.len(), &Options::EXACT).is_ok()
}

fn alone(value: &Value) -> ArrayRef {
    let mut column = Column::new(&kind()).unwrap();
    push(&mut column, value);
    column.finish().unwrap()
}

proptest! {
    /// Each value is one row, whatever the rows before it held; one that does not fit is NULL.
    #[test]
    fn every_value_is_one_row(values in proptest::collection::vec(value(), 0..12)) {
        let mut column = Column::new(&kind()).unwrap();
        let fits: Vec<bool> = values.iter().map(|value| push(&mut column, value)).collect();
        let array = column.finish().unwrap();
        prop_assert_eq!(array.len(), values.len());
        for (row, value) in values.iter().enumerate() {
            prop_assert_eq!(array.is_valid(row), fits[row] && !value.is_null());
            if array.is_valid(row) {
                prop_assert_eq!(&array.slice(row, 1), &alone(value));
            }
        }
    }
}

#[test]
fn what_does_not_fit_moves_nothing_that_follows() {
    let mut column = Column::new(&kind()).unwrap();
    assert!(push(&mut column, &json!({"n": 1, "list": [true]})));
    assert!(!push(&mut column, &json!({"n": 2, "list": [true, "x", false], "map": {"a": 1}})));
    assert!(push(&mut column, &json!({"n": 3, "list": [false], "map": {"5": 6}})));
    let array = column.finish().unwrap();
    let mut shown = String::new();
    super::super::print::cell(&array, 2, &mut shown);
    assert!(array.is_null(1));
    assert_eq!(shown, "{n=3, list=[false], map={5=6}, row=null}");
}
