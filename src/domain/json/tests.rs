use super::*;

fn lines(tree: &Tree) -> Vec<String> {
    let indent = |row: usize| " ".repeat(usize::from(tree.nodes[row].depth));
    tree.rows().iter().map(|&row| format!("{}{}", indent(row), tree.nodes[row].line())).collect()
}

#[test]
fn a_cause_inside_a_string_is_unfolded_and_keeps_its_path() {
    let tree = Tree::parse(r#"{"Error": "E", "Cause": "{\"errorMessage\": \"no disk\", \"n\": [1]}"}"#);
    assert_eq!(
        lines(&tree),
        [
            "{",
            " \"Error\": \"E\"",
            " \"Cause\": {",
            "  \"errorMessage\": \"no disk\"",
            "  \"n\": [",
            "   1",
            "  ]",
            " }",
            "}"
        ]
    );
    assert_eq!(tree.path(3), "$.Cause.errorMessage");
    assert_eq!(tree.path(5), "$.Cause.n[0]");
    assert_eq!(tree.value(3), "no disk");
    assert_eq!(tree.value(5), "1");
    assert_eq!(tree.path(7), "$.Cause");
}

#[test]
fn what_arrived_is_what_is_shown_and_copied() {
    let text = r#"{"n":[12345678901234567890123, 1.10,1E3],"dup":1,"dup":"{\"x\": 1.0}","s":"a\u00e9"}"#;
    let tree = Tree::parse(text);
    let expected = [
        "{",
        " \"n\": [",
        "  12345678901234567890123",
        "  1.10",
        "  1E3",
        " ]",
        " \"dup\": 1",
        " \"dup\": {",
        "  \"x\": 1.0",
        " }",
        " \"s\": \"aé\"",
        "}",
    ];
    assert_eq!(lines(&tree), expected);
    let commas: Vec<bool> = (0..tree.len()).map(|row| tree.nodes[row].comma).collect();
    let t = true;
    assert_eq!(commas, [false, t, t, t, false, t, t, t, false, t, false, false]);
    assert_eq!(tree.value(1), "[\n  12345678901234567890123,\n  1.10,\n  1E3\n]");
    assert_eq!(tree.value(5), tree.value(1), "a closing row stands for its container");
    assert_eq!((tree.value(3), tree.value(8), tree.value(10)), ("1.10".into(), "1.0".into(), "aé".into()));
    assert_eq!(tree.value(7), "{\n  \"x\": 1.0\n}");
    assert_eq!((tree.path(4), tree.path(8)), ("$.n[2]".to_owned(), "$.dup.x".to_owned()));
}

#[test]
fn folding_hides_and_finding_unfolds() {
    let mut tree = Tree::parse(r#"{"a": {"b": {"c": 1}}, "d": 2}"#);
    assert_eq!(tree.toggle(1), 1);
    assert_eq!(lines(&tree), ["{", " \"a\": {", " \"d\": 2", "}"]);
    assert_eq!((tree.after(1), tree.before(6), tree.visible(3)), (Some(6), Some(1), 1));
    assert_eq!((tree.before(0), tree.after(7)), (None, None));
    assert_eq!(tree.find("\"C\"", 0, true), Some(3));
    assert_eq!(tree.rows().len(), tree.len());
    assert_eq!(tree.find("nowhere", 0, false), None);
}

#[test]
fn what_is_not_json_is_lines() {
    let tree = Tree::parse("first\nsecond");
    assert_eq!(lines(&tree), ["first", "second"]);
    assert_eq!(tree.value(1), "first\nsecond");
    assert!(Tree::parse("").is_empty());
    assert_eq!(Tree::default().rows(), Vec::<usize>::new());
}

#[test]
fn a_text_is_found_in_keys_and_values() {
    let value = serde_json::json!({"Error": ["no Disk", {"n": 4200}], "input": "{\"pass\":1}"});
    let found: Vec<_> =
        ["error", "disk", "420", "\"pass\":1", "null"].map(|needle| contains(&value, needle)).into();
    assert_eq!(found, [true, true, true, true, false]);
}

#[test]
fn layouts() {
    assert_eq!(compact("{ \"a\" : [1, 2] }"), "{\"a\":[1,2]}");
    assert_eq!(compact("not\n  json"), "not json");
    assert_eq!(pretty("[1]"), "[\n  1\n]");
    assert_eq!(pretty("[1.10,]"), "[1.10,]");
}
