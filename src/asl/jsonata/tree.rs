//! Walks over a parsed expression: what it reads, and the guards that keep a loop from filling the memory.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use jsonata_core::value::with_stack;

use super::added::{TAKES, mismatched};
use super::functions::{DISTINCT, KEYS, LIMIT, SHORT, SURPLUS};

/// What an expression reads.
#[derive(Debug, Default)]
pub struct Uses {
    /// Variables that it does not bind itself, `states` among them.
    pub variables: BTreeSet<String>,
    /// Functions that are called or passed on.
    pub functions: BTreeSet<String>,
    /// The members of `$states` that are read; `None` when all may be.
    states: Option<BTreeSet<String>>,
    /// The members of `$states` that are read by their names.
    named: BTreeSet<String>,
    /// Names that are read where there is no context, `$` and `$$` among them.
    pub unbound: Vec<String>,
    /// It defines functions, so it can loop.
    pub loops: bool,
    /// It calls functions that compare each item with each.
    pub compares: bool,
    /// The operators that compare by size.
    comparisons: BTreeSet<&'static str>,
    /// The second sign of an operator that JSONata 2.0.6 does not have.
    pub newer: Option<&'static str>,
}

impl Uses {
    /// Whether `$states` must have the member.
    pub fn reads(&self, member: &str) -> bool {
        self.states.as_ref().is_none_or(|members| members.contains(member))
    }

    /// Whether it names the member of `$states`.
    pub fn names(&self, member: &str) -> bool {
        self.named.contains(member)
    }

    /// The one operator that compares by size.
    pub fn comparison(&self) -> Option<&'static str> {
        self.comparisons.first().copied()
    }
}

pub fn uses(tree: &mut AstNode) -> Uses {
    let mut uses = Uses { states: Some(BTreeSet::new()), ..Uses::default() };
    let mut local = BTreeSet::new();
    collect(tree, &mut uses, &mut local);
    uses.variables.retain(|name| !local.contains(name));
    let ours = TAKES.into_iter().filter(|(name, _)| uses.functions.contains(*name) && !local.contains(*name));
    let ours: Vec<_> = ours.collect();
    if !ours.is_empty() && surplus(tree, &ours) {
        uses.functions.insert(SURPLUS.into());
    }
    uses.compares = ["distinct", "keys"].iter().any(|name| uses.functions.contains(*name));
    uses.compares &= !local.contains("distinct") && !local.contains("keys");
    unbound(tree, true, &mut uses.unbound);
    uses
}

fn collect(node: &mut AstNode, uses: &mut Uses, local: &mut BTreeSet<String>) {
    match node {
        AstNode::Path { steps } => {
            let member = match steps.get(1).map(|step| &step.node) {
                Some(AstNode::Name(name)) => Some(name.clone()),
                _ => None,
            };
            // `$states.input…` reads one member, whatever follows.
            let of_states = matches!(steps.first(), Some(step)
                if matches!(&step.node, AstNode::Variable(name) if name == "states") && step.stages.is_empty());
            if let (true, Some(member), Some(members)) = (of_states, member, &mut uses.states) {
                uses.named.insert(member.clone());
                members.insert(member);
                uses.variables.insert("states".into());
                for step in steps.iter_mut().skip(1) {
                    collect(&mut step.node, uses, local);
                    stages(&mut step.stages, &mut |node| collect(node, uses, local));
                }
                return;
            }
        }
        AstNode::Variable(name) if !name.is_empty() => {
            if name == "states" {
                uses.states = None;
            }
            uses.variables.insert(name.clone());
            uses.functions.insert(name.clone());
        }
        AstNode::Function { name, .. } => {
            uses.functions.insert(name.clone());
        }
        AstNode::Binary { op: BinaryOp::Coalesce, .. } => uses.newer = Some("?"),
        AstNode::Binary { op: BinaryOp::Default, .. } => uses.newer = Some(":"),
        AstNode::Binary { op: BinaryOp::LessThan, .. } => _ = uses.comparisons.insert("<"),
        AstNode::Binary { op: BinaryOp::LessThanOrEqual, .. } => _ = uses.comparisons.insert("<="),
        AstNode::Binary { op: BinaryOp::GreaterThan, .. } => _ = uses.comparisons.insert(">"),
        AstNode::Binary { op: BinaryOp::GreaterThanOrEqual, .. } => _ = uses.comparisons.insert(">="),
        AstNode::Lambda { params, .. } => {
            uses.loops = true;
            local.extend(params.iter().map(|name| name.trim_start_matches('$').to_owned()));
        }
        AstNode::Binary { op: BinaryOp::ColonEqual, lhs, .. } => {
            if let AstNode::Variable(name) = lhs.as_ref() {
                local.insert(name.clone());
            }
        }
        _ => {}
    }
    children(node, &mut |child| collect(child, uses, local));
}

fn unbound(node: &mut AstNode, top: bool, out: &mut Vec<String>) {
    let add = |name: &str, out: &mut Vec<String>| {
        if !out.iter().any(|known| known == name) {
            out.push(name.to_owned());
        }
    };
    match node {
        AstNode::Name(name) => {
            if top {
                add(name, out);
            }
        }
        // `$` is what is around it, `$$` always the document that there is not.
        AstNode::Variable(name) if name.is_empty() && top => add("$", out),
        AstNode::ParentVariable(_) => add("$$", out),
        AstNode::Path { steps } => {
            for (i, step) in steps.iter_mut().enumerate() {
                with_stack(|| unbound(&mut step.node, top && i == 0, out));
                stages(&mut step.stages, &mut |filter| unbound(filter, false, out));
            }
        }
        AstNode::ObjectTransform { input, pattern } => {
            with_stack(|| unbound(input, top, out));
            for (key, value) in pattern {
                unbound(key, false, out);
                unbound(value, false, out);
            }
        }
        AstNode::Sort { input, terms } => {
            with_stack(|| unbound(input, top, out));
            terms.iter_mut().for_each(|(term, _)| unbound(term, false, out));
        }
        AstNode::Transform { .. } => {}
        _ => children(node, &mut |child| unbound(child, top, out)),
    }
}

/// Puts what fails in place of calls that give more arguments than the function takes. The functions
/// themselves let them pass, since a callback is given more than it needs. Whether there was one.
pub fn surplus(node: &mut AstNode, takes: &[(&str, usize)]) -> bool {
    let mut found = false;
    if let AstNode::Function { name, args, .. } = node
        && let Some((function, most)) = takes.iter().find(|(known, _)| known == name)
        && args.len() > *most
    {
        let message = AstNode::String(mismatched(function, most + 1));
        *node = AstNode::Function { name: SURPLUS.into(), args: vec![message], is_builtin: true };
        return true;
    }
    children(node, &mut |child| found |= surplus(child, takes));
    found
}

/// Puts functions of ours in place of those that compare each item with each, which on a long array would
/// take minutes that nothing bounds.
pub fn hasten(node: &mut AstNode) {
    match node {
        AstNode::Function { name, .. } | AstNode::Variable(name) if name == "distinct" => {
            *name = DISTINCT.into();
        }
        AstNode::Function { name, args, .. } if name == "keys" => {
            args.iter_mut().for_each(|arg| wrap(arg, KEYS))
        }
        _ => {}
    }
    children(node, &mut hasten);
}

/// Bounds what goes into the functions with which a loop could double a text again and again.
pub fn guard(node: &mut AstNode) {
    match node {
        AstNode::Binary { op: BinaryOp::Concatenate, lhs, rhs } => {
            wrap(lhs, LIMIT);
            wrap(rhs, LIMIT);
        }
        AstNode::Function { name, args, .. } => match name.as_str() {
            "string" | "base64encode" | "encodeUrl" | "encodeUrlComponent" => {
                args.iter_mut().for_each(|arg| wrap(arg, LIMIT));
            }
            "join" | "replace" => {
                for (i, arg) in args.iter_mut().enumerate() {
                    // A pattern is no text to measure.
                    if name == "join" || i != 1 {
                        wrap(arg, if i == 0 { LIMIT } else { SHORT });
                    }
                }
            }
            _ => {}
        },
        _ => {}
    }
    children(node, &mut guard);
}

fn wrap(node: &mut AstNode, name: &str) {
    // A guard of its own, what is left open in a partial application, and the rest of a chain: its parts are
    // guarded, and a guard between them would only make the chain nest deeper.
    let done = matches!(node, AstNode::Placeholder | AstNode::Binary { op: BinaryOp::Concatenate, .. })
        || matches!(node, AstNode::Function { name, .. } if name == LIMIT || name == SHORT);
    if !done {
        let inner = std::mem::replace(node, AstNode::Null);
        *node = AstNode::Function { name: name.to_owned(), args: vec![inner], is_builtin: true };
    }
}

pub fn stages(stages: &mut [Stage], visit: &mut dyn FnMut(&mut AstNode)) {
    for stage in stages {
        if let Stage::Filter(filter) = stage {
            with_stack(|| visit(filter));
        }
    }
}

/// Everything directly below a node.
pub fn children(node: &mut AstNode, visit: &mut dyn FnMut(&mut AstNode)) {
    let mut each = |child: &mut AstNode| with_stack(|| visit(child));
    match node {
        AstNode::Path { steps } => {
            for step in steps {
                each(&mut step.node);
                stages(&mut step.stages, &mut each);
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            each(lhs);
            each(rhs);
        }
        AstNode::Unary { operand: inner, .. }
        | AstNode::FunctionApplication(inner)
        | AstNode::Lambda { body: inner, .. } => each(inner),
        AstNode::Function { args: list, .. }
        | AstNode::Array(list)
        | AstNode::ArrayGroup(list)
        | AstNode::Block(list) => list.iter_mut().for_each(each),
        AstNode::Call { procedure, args } => {
            each(procedure);
            args.iter_mut().for_each(each);
        }
        AstNode::Object(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            each(key);
            each(value);
        }),
        AstNode::ObjectTransform { input, pattern } => {
            each(input);
            pattern.iter_mut().for_each(|(key, value)| {
                each(key);
                each(value);
            });
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            each(condition);
            each(then_branch);
            if let Some(other) = else_branch {
                each(other);
            }
        }
        AstNode::Sort { input, terms } => {
            each(input);
            terms.iter_mut().for_each(|(term, _)| each(term));
        }
        AstNode::Transform { location, update, delete } => {
            each(location);
            each(update);
            if let Some(delete) = delete {
                each(delete);
            }
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}
