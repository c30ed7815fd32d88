//! Whole screens, text and style, at three sizes. A changed picture is a decision: look at it, then
//! accept it with `INSTA_UPDATE=always cargo test --test it screens`.

use ward::ui::theme::Theme;

use crate::support::answers::{Answers, execution_arn};
use crate::support::console::{Console, setup};

/// The sizes of a screen: too small for anything but a sentence, the usual, and wide.
const SIZES: [(u16, u16); 3] = [(40, 12), USUAL, (160, 48)];
const USUAL: (u16, u16) = (80, 24);
const BESIDE: (u16, u16) = (120, 40);

fn picture(name: &str, console: &Console) {
    let (width, height) = console.model.world.size;
    insta::assert_snapshot!(format!("{name}-{width}x{height}"), console.picture());
}

/// A place with everything it asks for, then some keys, at every size.
fn everywhere(name: &str, place: &str, keys: &str) {
    for size in SIZES.into_iter().filter(|size| size.0 >= 60) {
        let mut console = Console::at(place, size);
        console.press(keys);
        picture(name, &console);
    }
}

/// One size is enough for what floats.
fn usual(name: &str, place: &str, keys: &str) {
    let mut console = Console::at(place, USUAL);
    console.press(keys);
    picture(name, &console);
}

#[test]
fn too_small_is_one_sentence() {
    for place in ["overview", "facilities", "queries", "workflows", "activity"] {
        let console = Console::at(place, SIZES[0]);
        insta::assert_snapshot!("too-small-40x12", console.picture());
    }
}

#[test]
fn overview() {
    everywhere("overview", "overview", "");
}

#[test]
fn facilities() {
    everywhere("facilities", "facilities", "");
    usual("facilities-detail", "facilities", "<enter>");
    usual("facilities-filter", "facilities", "/state:TX days<60");
}

#[test]
fn workflows() {
    everywhere("executions", "workflows", "");
    usual("machines", "workflows/machines", "");
    usual("start", "workflows", "R");
    let run = |name: &str| format!("workflows/{}", execution_arn(name));
    everywhere("run-running", &run("run-20260101-150405-004"), "");
    everywhere("run-failed", &run("run-20251231-210000-118"), "");
    usual("run-timeline", &run("run-20260101-090000-217"), "v");
    usual("run-events", &run("run-20260101-090000-217"), "vv");
    usual("run-inspector", &run("run-20260101-090000-217"), "<enter>");
}

#[test]
fn queries() {
    everywhere("queries", "queries", "");
    everywhere("query-history", "queries", "v");
    everywhere("query-statement", "queries/expiring_within", "");
    everywhere("query-result", "queries/q-0003", "");
    usual("query-failed", "queries/q-0002", "");
    usual("query-running", "queries/q-0004", "");
    usual("query-bars", "queries/q-0003", "c");
    usual("query-value", "queries/q-0003", "<enter>");
    usual("query-row", "queries/q-0003", "v");
    usual("query-sorted-and-searched", "queries/q-0003", "<right>s/a<enter>");
    usual("query-completion", "queries", "nSELECT * FROM facilities f WHERE f.");
    usual("query-parameter", "queries", "nSELECT * FROM facilities WHERE state = :state<f5>");
    usual("query-drop", "queries", "nDROP TABLE facilities<f5>");
}

/// The history of Athena before it is known, without any query, and out of reach.
#[test]
fn query_history_without_queries() {
    let mut loading = Console::loading("queries", USUAL, setup());
    loading.hit("v");
    picture("query-history-loading", &loading);
    for (name, answers) in [("empty", Answers::empty()), ("failed", Answers::failing())] {
        let mut console = Console::with("queries", USUAL, answers);
        console.press("v");
        picture(&format!("query-history-{name}"), &console);
    }
    let mut stale = Console::at("queries", USUAL);
    stale.answers = Answers::failing();
    stale.press("vr");
    picture("query-history-stale", &stale);
}

#[test]
fn activity() {
    everywhere("activity", "activity", "");
    everywhere("activity-log", "activity/log", "");
    usual("activity-log-of-one", "activity", "jj<enter>");
    usual("activity-objects", "activity/objects", "");
    usual("activity-notifications", "activity/notifications", "");
    usual("activity-filter", "activity/log", "/facilitys");
    let mut console = Console::at("activity", BESIDE);
    console.press("j");
    picture("activity", &console);
}

#[test]
fn overlays() {
    usual("help", "facilities", "?");
    usual("palette", "overview", ":");
    usual("palette-typed", "overview", ":theme");
    usual("chord", "overview", "g");
    let running = format!("workflows/{}", execution_arn("run-20260101-150405-004"));
    usual("confirm", &running, "X<enter>");
    let mut console = Console::with("overview", USUAL, Answers::failing());
    console.press("!");
    picture("problems", &console);
    usual("problems-none", "overview", "!");
}

#[test]
fn loading() {
    for place in ["overview", "facilities", "workflows", "activity"] {
        picture(&format!("loading-{place}"), &Console::loading(place, USUAL, setup()));
    }
}

#[test]
fn empty() {
    for place in ["overview", "facilities", "workflows", "activity"] {
        picture(&format!("empty-{place}"), &Console::with(place, USUAL, Answers::empty()));
    }
}

#[test]
fn failed() {
    for place in ["overview", "facilities", "workflows", "activity"] {
        picture(&format!("failed-{place}"), &Console::with(place, USUAL, Answers::failing()));
    }
}

/// What was known stays, with its age, when asking again fails.
#[test]
fn failed_after_it_was_known() {
    for place in ["overview", "facilities", "workflows"] {
        let mut console = Console::at(place, USUAL);
        console.answers = Answers::failing();
        console.press("r");
        picture(&format!("stale-{place}"), &console);
    }
}

#[test]
fn themes() {
    for theme in ["dark", "light", "mono"] {
        let setup = ward::ui::world::Setup { theme: Theme::named(theme), ascii: theme == "mono", ..setup() };
        let console = Console::of("facilities", BESIDE, setup);
        picture(&format!("facilities-{theme}"), &console);
    }
}
