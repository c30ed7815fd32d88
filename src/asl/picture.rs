//! A machine laid out on a grid of cells: where each state stands, and the lines, boxes and conditions
//! between them. The only file that names the layout crate.
//!
//! Maps and Parallels are boxes around what they hold; their own state is the first inside, and what comes
//! after them is reached from the states at which their flows end.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use ascii_dag::{CustomNode, Graph as Dag, LayoutConfig, RenderOptions};

use super::graph::{EdgeKind, Graph, Node};

/// A drawing without its states: those are drawn onto it, by whoever knows how they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// Where each node of the graph stands, in the graph's order.
    pub spots: Vec<Spot>,
    /// The lines between them, with box-drawing characters; every character is one cell wide.
    pub lines: Vec<String>,
    /// The same in ASCII.
    pub plain: Vec<String>,
}

/// Cells kept free for a state: one row of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    pub x: usize,
    pub y: usize,
    pub width: usize,
}

/// A condition is cut after so many characters.
const LABEL: usize = 28;
/// With more ways to catchers than this the lines hide more than they show.
const CATCHES: usize = 12;
/// Columns between neighbours, tried in this order.
const SPACINGS: [usize; 3] = [3, 9, 18];
/// Beyond this nobody reads a picture.
const MOST: usize = 500;

impl Picture {
    /// `width_of` says how many cells a state needs. `None` when the machine is too large to be drawn.
    pub fn of(graph: &Graph, width_of: impl Fn(&Node) -> usize) -> Option<Picture> {
        if graph.nodes.is_empty() || graph.nodes.len() > MOST {
            return None;
        }
        let ways = ways(graph);
        let mut dag = Dag::new();
        for (i, node) in graph.nodes.iter().enumerate() {
            let width = width_of(node).max(1);
            dag.add_node(i, CustomNode { label: "", width, height: 1, painter: None, payload: "" });
        }
        let boxes = boxes(graph, &mut dag)?;
        for ((from, to), label) in &ways {
            dag.add_edge(*from, *to, (!label.is_empty()).then_some(label.as_str()));
        }
        // A condition that finds no room is left out by the crate: then everything moves apart.
        let mut told = None;
        for spacing in SPACINGS {
            let (picture, frames) = Picture::laid(&dag, graph.nodes.len(), &boxes, spacing);
            let all = picture.lines.join("\n");
            let misleads = picture.misplaces(graph, &frames) || picture.misleads(&ways);
            if !misleads && ways.values().all(|label| all.contains(label.as_str())) {
                return Some(picture);
            }
            told = told.or((!misleads).then_some(picture));
        }
        // Conditions are missing, but what is drawn is true. A picture that can be read wrongly is none.
        told
    }

    /// Whether lines lead, as a person follows them, from a state to one that does not come after it: ways
    /// that share a stretch of line look like one.
    fn misleads(&self, ways: &BTreeMap<(usize, usize), String>) -> bool {
        let lines: Vec<Vec<char>> = self.lines.iter().map(|line| line.chars().collect()).collect();
        let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, spot) in self.spots.iter().enumerate() {
            rows.entry(spot.y).or_default().push(i);
        }
        let cell = |x: usize, y: usize| lines.get(y).and_then(|line| line.get(x)).copied().unwrap_or(' ');
        let state = |x: usize, y: usize| {
            let on = |i: &&usize| (self.spots[**i].x..self.spots[**i].x + self.spots[**i].width).contains(&x);
            rows.get(&y)?.iter().find(on).copied()
        };
        let strays = |from: usize| {
            let spot = self.spots[from];
            let mut seen: HashSet<(usize, usize, Way)> = HashSet::new();
            let mut open: Vec<(usize, usize, Way)> =
                (spot.x..spot.x + spot.width).map(|x| (x, spot.y + 1, Way::Down)).collect();
            while let Some((x, y, way)) = open.pop() {
                if !seen.insert((x, y, way)) {
                    continue;
                }
                if let Some(to) = state(x, y) {
                    // Lines end at the state that they come down to.
                    let known =
                        to == from || ways.contains_key(&(from, to)) || ways.contains_key(&(to, from));
                    if way == Way::Down && !known {
                        return true;
                    }
                    continue;
                }
                let mut turns = way.through(cell(x, y));
                // A condition stands upon its line.
                if way == Way::Down && turns.is_empty() && y > spot.y + 1 && "│↓┼├┤".contains(cell(x, y + 1))
                {
                    turns = &[Way::Down];
                }
                open.extend(turns.iter().filter_map(|turn| turn.step(x, y).map(|(x, y)| (x, y, *turn))));
            }
            false
        };
        (0..self.spots.len()).any(strays)
    }

    /// Whether a state stands in the box of a Map or Parallel that it does not belong to, or outside of its own.
    fn misplaces(&self, graph: &Graph, frames: &[Frame]) -> bool {
        let inside = |node: usize, container: usize| {
            let around = |node: &usize| graph.nodes.get(*node)?.parent.map(|(container, _)| container);
            std::iter::successors(Some(node), around).take(graph.nodes.len()).any(|node| node == container)
        };
        let misplaced = |frame: &Frame| {
            (self.spots.iter().enumerate()).any(|(node, spot)| match inside(node, frame.container) {
                true => !frame.holds(spot),
                false => frame.touches(spot),
            })
        };
        frames.iter().any(misplaced)
    }

    fn laid(
        dag: &Dag<'_>,
        nodes: usize,
        boxes: &BTreeMap<usize, usize>,
        spacing: usize,
    ) -> (Picture, Vec<Frame>) {
        let mut config = LayoutConfig::standard();
        config.node_spacing = spacing;
        let laid = dag.compute_layout_with_config(&config);
        let mut spots = vec![Spot::default(); nodes];
        for node in laid.nodes() {
            if let Some(spot) = spots.get_mut(node.id) {
                *spot = Spot { x: node.x, y: node.y, width: node.width };
            }
        }
        let frame = |(container, drawn): (&usize, &usize)| {
            let found = laid.subgraphs().iter().find(|info| info.id == *drawn)?;
            let (across, down) = (found.x..found.x + found.width, found.y..found.y + found.height);
            Some(Frame { container: *container, across, down })
        };
        let frames = boxes.iter().filter_map(frame).collect();
        let rows = |text: String| -> Vec<String> {
            // The crate quotes labels.
            let mut rows: Vec<String> =
                text.lines().map(|line| line.replace('"', " ").trim_end().to_owned()).collect();
            while rows.last().is_some_and(String::is_empty) {
                rows.pop();
            }
            rows
        };
        let lines = rows(laid.render_string(&RenderOptions::plain()));
        let plain = rows(laid.render_string(&RenderOptions::ascii()));
        let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let width = spots.iter().map(|spot| spot.x + spot.width).max().unwrap_or(0).max(widest);
        let height = spots.iter().map(|spot| spot.y + 1).max().unwrap_or(0).max(lines.len());
        (Picture { width, height, spots, lines, plain }, frames)
    }
}

/// The box around what a Map or Parallel holds, its border included.
struct Frame {
    container: usize,
    across: Range<usize>,
    down: Range<usize>,
}

impl Frame {
    fn holds(&self, spot: &Spot) -> bool {
        self.down.contains(&spot.y) && self.across.start <= spot.x && spot.x + spot.width <= self.across.end
    }

    fn touches(&self, spot: &Spot) -> bool {
        self.down.contains(&spot.y) && spot.x < self.across.end && self.across.start < spot.x + spot.width
    }
}

/// Where a person's eye goes along a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Way {
    Down,
    Up,
    Left,
    Right,
}

impl Way {
    /// Where it may go on behind a character: straight over a crossing, at a fork to both sides, and where a
    /// line joins one that goes down, down with it.
    fn through(self, cell: char) -> &'static [Way] {
        use Way::{Down, Left, Right, Up};
        match (self, cell) {
            (Down, '│' | '┼' | '╪' | '↓') => &[Down],
            (Down, '└') => &[Right],
            (Down, '┘') => &[Left],
            (Down, '┴') => &[Left, Right],
            (Down, '├') => &[Down, Right],
            (Down, '┤') => &[Down, Left],
            (Right, '─' | '┼' | '╫' | '┴') => &[Right],
            (Right, '┬') => &[Right, Down],
            (Right, '┐' | '┤') => &[Down],
            (Right, '┘') => &[Up],
            (Left, '─' | '┼' | '╫' | '┴') => &[Left],
            (Left, '┬') => &[Left, Down],
            (Left, '┌' | '├') => &[Down],
            (Left, '└') => &[Up],
            (Up, '│' | '┼' | '╪' | '↑') => &[Up],
            (Up, '┐') => &[Left],
            (Up, '┌') => &[Right],
            (Up, '├') => &[Up, Right],
            (Up, '┤') => &[Up, Left],
            (Up, '┬') => &[Left, Right],
            _ => &[],
        }
    }

    fn step(self, x: usize, y: usize) -> Option<(usize, usize)> {
        Some(match self {
            Way::Down => (x, y + 1),
            Way::Up => (x, y.checked_sub(1)?),
            Way::Left => (x.checked_sub(1)?, y),
            Way::Right => (x + 1, y),
        })
    }
}

/// One way from a node to another, with all conditions that lead there.
fn ways(graph: &Graph) -> BTreeMap<(usize, usize), String> {
    let catches = graph.edges.iter().filter(|edge| edge.kind == EdgeKind::Catch).count();
    let mut ways: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for edge in &graph.edges {
        let label = match edge.kind {
            EdgeKind::Next => String::new(),
            EdgeKind::Choice => edge.label.clone(),
            EdgeKind::Default => "otherwise".to_owned(),
            EdgeKind::Catch if catches > CATCHES => continue,
            EdgeKind::Catch => "catch".to_owned(),
        };
        // An error leaves the box as a whole, anything else from where its flows end.
        let sources = if edge.kind == EdgeKind::Catch { vec![edge.from] } else { ends(graph, edge.from) };
        for from in sources {
            let labels = ways.entry((from, edge.to)).or_default();
            if !labels.contains(&label) {
                labels.push(label.clone());
            }
        }
    }
    // Into a box: from its own state to the first of each flow.
    for (i, node) in graph.nodes.iter().enumerate() {
        if let Some((container, _)) = node.parent.filter(|_| node.start) {
            ways.entry((container, i)).or_default();
        }
    }
    // A way that is also taken without a condition needs none; what is left over says it shortest.
    let text =
        |labels: Vec<String>| match ["", "otherwise"].map(|word| labels.iter().any(|label| label == word)) {
            [true, _] => String::new(),
            [_, true] => "otherwise".to_owned(),
            _ => short(&labels.join(" or ")),
        };
    ways.into_iter().map(|(way, labels)| (way, text(labels))).collect()
}

/// The nodes at which a node's work is done: itself, or of a container the ends of its flows.
fn ends(graph: &Graph, node: usize) -> Vec<usize> {
    let inside =
        graph.nodes.iter().enumerate().filter(|(_, inner)| inner.parent.is_some_and(|(c, _)| c == node));
    let last: Vec<usize> = inside
        .filter(|(_, inner)| inner.end && inner.kind != "Fail")
        .flat_map(|(i, _)| ends(graph, i))
        .collect();
    if last.is_empty() { vec![node] } else { last }
}

/// Puts the contents of each container, with its own state, into a box; inner boxes into outer ones. Answers
/// the container's node with the box's id.
fn boxes(graph: &Graph, dag: &mut Dag<'_>) -> Option<BTreeMap<usize, usize>> {
    let mut boxes = BTreeMap::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        let members: Vec<usize> = (graph.nodes.iter().enumerate())
            .filter(|(_, inner)| inner.parent.is_some_and(|(container, _)| container == i))
            .map(|(inner, _)| inner)
            .chain([i])
            .collect();
        if members.len() < 2 {
            continue;
        }
        let drawn = dag.add_subgraph(node.kind);
        dag.put_nodes(&members).inside(drawn).ok()?;
        boxes.insert(i, drawn);
    }
    // A container's own state belongs to its own box, so a box inside another is put there as a box.
    for (i, drawn) in &boxes {
        if let Some(outer) = graph.nodes[*i].parent.and_then(|(container, _)| boxes.get(&container)) {
            dag.put_subgraphs(&[*drawn]).inside(*outer).ok()?;
        }
    }
    Some(boxes)
}

/// A label that is short and of single cells.
fn short(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_start_matches('(');
        match bare.strip_prefix("$.") {
            Some(path) => path.rsplit('.').next().unwrap_or(path).to_owned(),
            None => bare.replace("==", "=").replace(['"', ')'], ""),
        }
    };
    let text = text.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    let mut cells: String =
        text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '.' }).take(LABEL).collect();
    if cells.chars().count() < text.chars().count() {
        cells.truncate(LABEL - 2);
        cells.push_str("..");
    }
    cells
}

#[cfg(test)]
mod tests {
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
        let pipeline = Machine::read(include_str!("../../assets/pipeline.asl.json")).unwrap();
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
            let touches = |spot: &Spot| {
                down.contains(&spot.y) && spot.x < across.end && across.start < spot.x + spot.width
            };
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
}
