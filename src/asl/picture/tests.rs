use super::*;
use crate::asl::graph::Edge;
use crate::asl::machine::Machine;
use proptest::prelude::*;

fn drawn(text: &str) -> (Graph, Picture) {
    let graph = Graph::of(&Machine::read(text).unwrap());
    let picture = Picture::of(&graph, |node| node.name.len() + 8).unwrap();
    (graph, picture)
}

/// The picture with its states' names.
fn text(graph: &Graph, picture: &Picture) -> Vec<String> {
    let mut rows: Vec<Vec<char>> = picture.plain.iter().map(|line| line.chars().collect()).collect();
    for (node, spot) in graph.nodes.iter().zip(&picture.spots) {
        while rows.len() <= spot.y {
            rows.push(Vec::new());
        }
        let row = &mut rows[spot.y];
        row.resize(row.len().max(spot.x + spot.width), ' ');
        for (i, c) in node.name.chars().enumerate() {
            row[spot.x + i] = c;
        }
    }
    rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn states_stand_apart_below_each_other_and_conditions_are_written() {
    let (graph, picture) = drawn(
        r#"{"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Default": "C",
              "Choices": [{"Variable": "$.s", "StringEquals": "OK", "Next": "B"}]},
        "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Succeed"}}}"#,
    );
    let rows = text(&graph, &picture);
    let all = rows.join("\n");
    assert!(all.contains("otherwise") && all.contains("s = OK"), "{all}");
    let y = |name: &str| picture.spots[graph.node(name).unwrap()].y;
    assert!(y("A") < y("B") && y("B") < y("C"), "{all}");
    assert_eq!(picture.height, rows.len());
}

#[test]
fn what_a_map_holds_stands_inside_its_box() {
    let (graph, picture) = drawn(
        r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "Next": "Z", "ItemProcessor":
        {"StartAt": "I", "States": {"I": {"Type": "Pass", "Next": "J"}, "J": {"Type": "Pass", "End": true}}}},
        "Z": {"Type": "Succeed"}}}"#,
    );
    let rows = text(&graph, &picture);
    let y = |name: &str| picture.spots[graph.node(name).unwrap()].y;
    let top = rows.iter().position(|row| row.contains("Map")).unwrap();
    assert!(top < y("M") && y("M") < y("I") && y("I") < y("J") && y("J") < y("Z"), "{}", rows.join("\n"));
}

/// The first branch ends beside the other one's Choice, and its way out would share a line with the ways of
/// that: it would look as if it led on to where the Choice leads.
#[test]
fn a_picture_that_can_be_read_wrongly_is_none() {
    let text = r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "Next": "Z", "Branches": [
        {"StartAt": "B1", "States": {"B1": {"Type": "Pass", "Next": "B1b"}, "B1b": {"Type": "Pass", "End": true}}},
        {"StartAt": "B2", "States": {"B2": {"Type": "Pass", "Next": "C"},
            "C": {"Type": "Choice", "Default": "Small",
                "Choices": [{"Variable": "$.x", "NumericGreaterThan": 3, "Next": "Big"}]},
            "Big": {"Type": "Pass", "End": true}, "Small": {"Type": "Pass", "End": true}}}]},
        "Z": {"Type": "Succeed"}}}"#;
    let graph = Graph::of(&Machine::read(text).unwrap());
    assert_eq!(Picture::of(&graph, |node| node.name.len() + 12), None);
    // The pipeline's, with its loop, its Choice and a Catch of every Task, is read rightly.
    let pipeline = Machine::read(include_str!("../../../assets/pipeline.asl.json")).unwrap();
    assert!(Picture::of(&Graph::of(&pipeline), |node| node.name.len() + 12).is_some());
}

/// The boxes as they are drawn, by their corners, as far as these are drawn over by nothing.
fn drawn_boxes(picture: &Picture) -> Vec<(Range<usize>, Range<usize>)> {
    let rows: Vec<Vec<char>> = picture.lines.iter().map(|line| line.chars().collect()).collect();
    let cell = |x: usize, y: usize| rows.get(y).and_then(|row| row.get(x)).copied();
    let mut found = Vec::new();
    for (y, row) in rows.iter().enumerate() {
        for x in (0..row.len()).filter(|x| row[*x] == '╔') {
            let right = (x..row.len()).find(|x| row[*x] == '╗');
            let bottom = (y..rows.len()).find(|y| cell(x, *y) == Some('╚'));
            found.extend(right.zip(bottom).map(|(right, bottom)| (x..right + 1, y..bottom + 1)));
        }
    }
    found
}

/// What stands in a box is what belongs to one Map or Parallel, whole and nothing else: in the box as it is
/// drawn, and in the smallest one that holds what belongs to it.
fn boxes_hold_what_is_theirs(graph: &Graph, picture: &Picture) {
    let within = |node: usize, container: usize| {
        let mut next = Some(node);
        while let Some(node) = next.filter(|node| *node != container) {
            next = graph.nodes[node].parent.map(|(container, _)| container);
        }
        next.is_some()
    };
    let all = 0..graph.nodes.len();
    let mut theirs: Vec<Vec<usize>> =
        all.clone().map(|one| all.clone().filter(|node| within(*node, one)).collect()).collect();
    theirs.retain(|nodes| nodes.len() > 1);
    let held = |across: &Range<usize>, down: &Range<usize>| -> Vec<usize> {
        let touches =
            |spot: &Spot| down.contains(&spot.y) && spot.x < across.end && across.start < spot.x + spot.width;
        all.clone().filter(|node| touches(&picture.spots[*node])).collect()
    };
    for nodes in &theirs {
        let spots = || nodes.iter().map(|node| picture.spots[*node]);
        let (left, top) = (spots().map(|spot| spot.x).min(), spots().map(|spot| spot.y).min());
        let right = spots().map(|spot| spot.x + spot.width).max();
        let bottom = spots().map(|spot| spot.y + 1).max();
        let (across, down) = (left.unwrap()..right.unwrap(), top.unwrap()..bottom.unwrap());
        assert_eq!(held(&across, &down), *nodes, "{}", text(graph, picture).join("\n"));
    }
    for (across, down) in drawn_boxes(picture) {
        let held = held(&across, &down);
        assert!(theirs.contains(&held), "{held:?}\n{}", text(graph, picture).join("\n"));
    }
}

/// A branch that is a Map beside one that is a single state, which stood inside the Map's box.
#[test]
fn no_branch_stands_in_the_box_of_another() {
    let text = r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "Next": "Z", "Branches": [
        {"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor":
            {"StartAt": "Look", "States": {"Look": {"Type": "Pass", "Next": "Nap"},
                "Nap": {"Type": "Wait", "Seconds": 5, "End": true}}}}}},
        {"StartAt": "Sub", "States": {"Sub": {"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::states:startExecution.sync:2"}}}]},
        "Z": {"Type": "Succeed"}}}"#;
    let graph = Graph::of(&Machine::read(text).unwrap());
    if let Some(picture) = Picture::of(&graph, beside) {
        boxes_hold_what_is_theirs(&graph, &picture);
    }
}

/// As wide as the console draws them.
fn beside(node: &Node) -> usize {
    node.name.len() + if matches!(node.kind, "Map" | "Parallel") { 34 } else { 12 }
}

/// A flow of one to three states, each a Pass or a container of flows.
fn any_flow() -> impl Strategy<Value = Vec<Shape>> {
    let plain = prop::collection::vec(Just(Shape(Vec::new())), 1..4);
    plain.prop_recursive(3, 24, 3, |inner| {
        prop::collection::vec(prop::collection::vec(inner, 0..4).prop_map(Shape), 1..4)
    })
}

/// The flows inside a state: none, one of a Map, several of a Parallel.
#[derive(Clone, Debug)]
struct Shape(Vec<Vec<Shape>>);

fn flow(shapes: &[Shape], count: &mut usize) -> serde_json::Value {
    use serde_json::json;
    let names: Vec<String> = shapes
        .iter()
        .map(|_| {
            *count += 1;
            format!("S{count}")
        })
        .collect();
    let mut states = json!({});
    for (i, Shape(inner)) in shapes.iter().enumerate() {
        let flows: Vec<_> = inner.iter().map(|shapes| flow(shapes, count)).collect();
        let mut state = match flows.len() {
            0 => json!({"Type": "Pass"}),
            1 => json!({"Type": "Map", "ItemProcessor": flows[0]}),
            _ => json!({"Type": "Parallel", "Branches": flows}),
        };
        match names.get(i + 1) {
            Some(next) => state["Next"] = json!(next),
            None => state["End"] = json!(true),
        }
        states[&names[i]] = state;
    }
    json!({"StartAt": names[0], "States": states})
}

proptest! {
    // A layout of forty states takes a while without optimization.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn boxes_of_any_nesting_hold_what_is_theirs(shapes in any_flow()) {
        let definition = flow(&shapes, &mut 0).to_string();
        let graph = Graph::of(&Machine::read(&definition).unwrap());
        if let Some(picture) = Picture::of(&graph, beside) {
            boxes_hold_what_is_theirs(&graph, &picture);
        }
    }
}

proptest! {
    /// Whatever the edges, every node has its own place inside the picture.
    #[test]
    fn any_graph_is_drawn_without_overlap(
        parents in prop::collection::vec(0usize..8, 1..14),
        edges in prop::collection::vec((0usize..14, 0usize..14, 0usize..4), 0..40),
    ) {
        let count = parents.len();
        let mut graph = Graph::default();
        for (i, parent) in parents.iter().enumerate() {
            // Only an earlier node can be a container, so nesting ends.
            let parent = (*parent < i && *parent > 0).then(|| (*parent - 1, 0));
            graph.nodes.push(Node {
                name: format!("n{i}"), kind: "Map", detail: String::new(), rank: 0, parent,
                start: i % 3 == 0, end: i % 2 == 0,
            });
        }
        for (from, to, kind) in edges {
            let kind = [EdgeKind::Next, EdgeKind::Choice, EdgeKind::Default, EdgeKind::Catch][kind];
            graph.edges.push(Edge { from: from % count, to: to % count, kind, label: "x é".into(), back: false });
        }
        if let Some(picture) = Picture::of(&graph, |_| 6) {
            for (i, a) in picture.spots.iter().enumerate() {
                prop_assert!(a.x + a.width <= picture.width && a.y < picture.height);
                for b in &picture.spots[..i] {
                    prop_assert!(a.y != b.y || a.x + a.width <= b.x || b.x + b.width <= a.x);
                }
            }
        }
    }
}
