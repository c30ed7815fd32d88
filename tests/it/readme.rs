//! What the README says holds: its table of keys is the keymap, its commands are commands.

use std::fmt::Write as _;
use std::path::Path;

use ward::ui::action::Action;
use ward::ui::keymap::{Context, Keymap};

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The keys that work everywhere, as the README shows them.
#[test]
fn the_table_of_keys_is_the_keymap() {
    let keymap = Keymap::default();
    let mut table = String::from("| key | does |\n|---|---|\n");
    for action in Action::ALL {
        let keys = keymap.all_keys_of(&[Context::Global], *action);
        if !keys.is_empty() {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
            writeln!(table, "| {} | {} |", keys.join(" "), action.help()).unwrap();
        }
    }
    assert!(readme().contains(&table), "the README's table of keys should be\n\n{table}");
}

/// Every line of a shell block that calls `ward` is one that its command line takes.
#[test]
fn its_commands_are_commands() {
    let text = readme();
    let mut checked = 0;
    for block in text.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let line = line.split(" > ").next().unwrap_or_default();
            let line = line.replace("cargo run --release -- ", "ward ");
            let Some(rest) = line.strip_prefix("ward ") else { continue };
            let words = shell(rest);
            let parsed =
                ward::cli::command().try_get_matches_from(["ward".to_owned()].into_iter().chain(words));
            let wrong = parsed.err().filter(clap_error).map(|error| error.to_string());
            assert_eq!(wrong, None, "{line}");
            checked += 1;
        }
    }
    assert!(checked >= 10, "only {checked} commands were found");
}

/// `--help` and `--version` come as errors that are none.
fn clap_error(error: &clap::Error) -> bool {
    error.use_stderr()
}

/// Words as a shell splits them, for single and double quotes.
fn shell(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
