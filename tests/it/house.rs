//! The rules of the house, read from the source: who imports whom, who names what, how long files are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Layer -> what of ours it may use, besides itself.
const TABLE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("asl", &[]),
    ("sql", &[]),
    ("settings", &[]),
    ("aws", &["domain", "sql"]),
    ("work", &["aws", "domain", "sql", "settings"]),
    ("local", &["asl", "sql"]),
    ("lambda", &["domain", "aws"]),
    ("ui", &["domain", "asl", "sql", "settings"]),
    ("runtime", &["ui", "work", "aws", "domain", "settings"]),
    ("cli", &["domain", "asl", "sql", "settings", "aws", "work", "local", "lambda", "ui", "runtime"]),
];

/// Layers that decide and never do.
const PURE: &[&str] = &["domain", "asl", "sql", "settings", "ui"];

/// What deciding must not touch.
const DOING: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread::sleep",
    "tokio",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "SystemTime::now",
    "rand::random",
    "Uuid::new_v4",
    ".await;",
    ".await?",
    "async fn",
];

/// The limit of a file's lines, its tests not counted.
const LIMIT: usize = 400;

struct Source {
    /// Relative to `src`, with slashes.
    path: String,
    /// `domain`, `aws` …; empty for `lib.rs` and `main.rs`.
    layer: String,
    /// The lines before the tests, as they are.
    lines: Vec<String>,
    /// The same without comments and without what strings hold.
    code: Vec<String>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    files
        .into_iter()
        .filter_map(|file| {
            let path = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            let name = path.rsplit('/').next().unwrap();
            if name == "tests.rs" || name.ends_with("_tests.rs") || path.contains("/tests/") {
                return None;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let end = text.find("\n#[cfg(test)]").unwrap_or(text.len());
            let layer = path.split_once('/').map(|(layer, _)| layer).unwrap_or_default();
            let own = &text[..end];
            Some(Source {
                layer: layer.to_owned(),
                lines: own.lines().map(str::to_owned).collect(),
                code: bare(own).lines().map(str::to_owned).collect(),
                path,
            })
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Blanks out comments and the contents of strings; line breaks stay where they are.
fn bare(text: &str) -> String {
    let pattern =
        Regex::new(r##"(?s)//[^\n]*|/\*.*?\*/|r#"(.*?)"#|b?"(?:\\.|[^"\\])*"|'(?:\\.[^']*|[^'\\])'"##)
            .unwrap();
    pattern
        .replace_all(text, |found: &regex::Captures<'_>| {
            found[0].chars().filter(|c| *c == '\n').collect::<String>()
        })
        .into_owned()
}

fn fail(mistakes: &[String], rule: &str) {
    assert!(mistakes.is_empty(), "{rule}:\n{}", mistakes.join("\n"));
}

#[test]
fn every_layer_imports_what_the_table_allows() {
    let single = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let group = Regex::new(r"(?s)\bcrate::\{([^;]*)\}\s*;").unwrap();
    let member = Regex::new(r"(?:^|,)\s*([a-z_]+)\s*(?:::|,|$)").unwrap();
    let mut mistakes = Vec::new();
    for source in sources() {
        if source.layer.is_empty() {
            continue;
        }
        let Some((_, allowed)) = TABLE.iter().find(|(layer, _)| *layer == source.layer) else {
            mistakes.push(format!("{} is of no layer", source.path));
            continue;
        };
        let mut used: Vec<(usize, String)> = Vec::new();
        for (index, line) in source.code.iter().enumerate() {
            used.extend(single.captures_iter(line).map(|found| (index + 1, found[1].to_owned())));
        }
        let whole = source.code.join("\n");
        for found in group.captures_iter(&whole) {
            used.extend(member.captures_iter(&found[1]).map(|one| (0, one[1].to_owned())));
        }
        for (line, layer) in used {
            let known = TABLE.iter().any(|(name, _)| *name == layer);
            if known && layer != source.layer && !allowed.contains(&layer.as_str()) {
                mistakes.push(format!("src/{}:{line} uses {layer}", source.path));
            }
        }
    }
    fail(&mistakes, "who may import whom");
}

#[test]
fn only_aws_names_the_sdk_and_only_the_engine_names_datafusion() {
    let mut mistakes = Vec::new();
    for source in sources() {
        for (index, line) in source.code.iter().enumerate() {
            let place = format!("src/{}:{}", source.path, index + 1);
            if source.layer != "aws"
                && ["aws_sdk_", "aws_config", "aws_smithy"].iter().any(|name| line.contains(name))
            {
                mistakes.push(format!("{place} names the SDK"));
            }
            let engine = source.path.starts_with("local/athena/engine");
            if !engine && line.contains("datafusion") {
                mistakes.push(format!("{place} names the SQL engine"));
            }
            if source.layer != "local" && ["s3s::", "redb::"].iter().any(|name| line.contains(name)) {
                mistakes.push(format!("{place} names a part of the local cloud"));
            }
        }
    }
    fail(&mistakes, "one place names each of the large crates");
}

#[test]
fn deciding_is_pure() {
    let mut mistakes = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.layer.as_str())) {
        for (index, line) in source.code.iter().enumerate() {
            for name in DOING.iter().filter(|name| line.contains(**name)) {
                mistakes.push(format!("src/{}:{} names {name}", source.path, index + 1));
            }
        }
    }
    fail(&mistakes, "these layers decide; doing is elsewhere");
}

#[test]
fn no_screen_imports_another() {
    let path = Regex::new(r"screens::([a-z]+)").unwrap();
    let mut mistakes = Vec::new();
    for source in sources() {
        let Some(rest) = source.path.strip_prefix("ui/screens/") else { continue };
        let Some((own, _)) = rest.split_once('/') else { continue };
        for (index, line) in source.code.iter().enumerate() {
            for found in path.captures_iter(line).filter(|found| &found[1] != own) {
                mistakes.push(format!("src/{}:{} uses {}", source.path, index + 1, &found[1]));
            }
        }
    }
    fail(&mistakes, "screens meet through Route");
}

/// A proof stands in a comment on the line or just above it.
#[test]
fn nothing_gives_up_without_a_proof() {
    let gives_up =
        Regex::new(r"\.unwrap\(\)|\bpanic!\(|\btodo!\(|\bunimplemented!\(|\bunreachable!\(").unwrap();
    let mut mistakes = Vec::new();
    for source in sources() {
        for (index, line) in source.code.iter().enumerate() {
            let expects = source.lines[index].contains(".expect(\"");
            let from = index.saturating_sub(4);
            let proven = source.lines[from..=index].iter().any(|line| line.contains("//"));
            if (expects || gives_up.is_match(line)) && !proven {
                mistakes.push(format!("src/{}:{} {}", source.path, index + 1, line.trim()));
            }
        }
    }
    fail(&mistakes, "an unwrap says why it cannot fail");
}

#[test]
fn files_stay_short() {
    let lengths: BTreeMap<String, usize> =
        sources().into_iter().map(|source| (source.path, source.lines.len())).collect();
    let mistakes: Vec<String> = lengths
        .iter()
        .filter(|(_, length)| **length > LIMIT)
        .map(|(path, length)| format!("src/{path} has {length} lines: it is asking to be two files"))
        .collect();
    fail(&mistakes, "a file settles at 100 to 250 lines");
}

#[test]
fn every_module_says_what_lives_in_it() {
    let mistakes: Vec<String> = sources()
        .into_iter()
        .filter(|source| !source.lines.first().is_some_and(|line| line.starts_with("//!")))
        .filter(|source| source.path != "main.rs")
        .map(|source| format!("src/{} does not open with //!", source.path))
        .collect();
    fail(&mistakes, "each file opens with what lives here");
}
