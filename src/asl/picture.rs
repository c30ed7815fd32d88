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
mod tests;
