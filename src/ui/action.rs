//! Every action once: name, group, help line. Keymap, help, palette and key line all read this table.

/// The heading under which help and palette show an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Places,
    Moving,
    Facilities,
    Queries,
    Workflows,
    Activity,
    Shell,
}

impl Group {
    pub fn title(self) -> &'static str {
        match self {
            Group::Places => "Places",
            Group::Moving => "Moving",
            Group::Facilities => "Facilities",
            Group::Queries => "Queries",
            Group::Workflows => "Workflows",
            Group::Activity => "Activity",
            Group::Shell => "Console",
        }
    }
}

macro_rules! actions {
    ($($action:ident $name:literal $group:ident $short:literal $help:literal;)*) => {
        /// What a person can wish for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($action),* }

        impl Action {
            /// All of them, in the order in which help shows them.
            pub const ALL: &'static [Action] = &[$(Action::$action),*];

            /// The name in `keymap.toml`.
            pub fn name(self) -> &'static str {
                match self { $(Action::$action => $name),* }
            }

            pub fn group(self) -> Group {
                match self { $(Action::$action => Group::$group),* }
            }

            /// One or two words, for the key line.
            pub fn short(self) -> &'static str {
                match self { $(Action::$action => $short),* }
            }

            /// A line, for help and palette.
            pub fn help(self) -> &'static str {
                match self { $(Action::$action => $help),* }
            }
        }
    };
}

actions! {
    // action          name in the keymap    group      key line      help
    ShowOverview       "show-overview"       Places     "overview"    "Go to the overview";
    ShowFacilities     "show-facilities"     Places     "facilities"  "Go to the facilities";
    ShowQueries        "show-queries"        Places     "queries"     "Go to the queries";
    ShowWorkflows      "show-workflows"      Places     "workflows"   "Go to the workflows";
    ShowActivity       "show-activity"       Places     "activity"    "Go to the activity";
    HistoryBack        "history-back"        Places     "back"        "Back to the place before";
    HistoryForward     "history-forward"     Places     "forward"     "Forward again";
    Up                 "up"                  Moving     "up"          "One line up";
    Down               "down"                Moving     "down"        "One line down";
    Left               "left"                Moving     "left"        "To the left";
    Right              "right"               Moving     "right"       "To the right";
    PageUp             "page-up"             Moving     "page up"     "One page up";
    PageDown           "page-down"           Moving     "page down"   "One page down";
    First              "first"               Moving     "first"       "To the first line";
    Last               "last"                Moving     "last"        "To the last line";
    NextPane           "next-pane"           Moving     "pane"        "To the next pane";
    PreviousPane       "previous-pane"       Moving     "pane back"   "To the pane before";
    NextView           "next-view"           Moving     "view"        "The next way to look at this";
    PreviousView       "previous-view"       Moving     "view back"   "The way to look at this before";
    Open               "open"                Moving     "open"        "Open what is selected";
    Accept             "accept"              Moving     "accept"      "Take what is typed or chosen";
    Back               "back"                Moving     "back"        "Close, or leave this place";
    Filter             "filter"              Moving     "filter"      "Filter the list as you type";
    ClearFilter        "clear-filter"        Moving     "clear"       "Show everything again";
    NextMatch          "next-match"          Moving     "next"        "To the next match";
    PreviousMatch      "previous-match"      Moving     "previous"    "To the match before";
    Sort               "sort"                Moving     "sort"        "Sort by a column";
    ReverseSort        "reverse-sort"        Moving     "reverse"     "Sort the other way round";
    Refresh            "refresh"             Moving     "refresh"     "Ask again";
    Copy               "copy"                Moving     "copy"        "Copy what is under the cursor";
    CopyMore           "copy-more"           Moving     "copy as"     "Copy something else of it: id, ARN, command";
    Browse             "browse"              Moving     "browse"      "Open it in the AWS web console";
    Export             "export"              Moving     "export"      "Write what is shown to a file";
    Window             "window"              Facilities "window"      "Change the window of expiries";
    AsOf               "as-of"               Facilities "as of"       "Change the as-of date";
    Facets             "facets"              Facilities "facets"      "Filter by state, accreditor, service or tier";
    Raw                "raw"                 Facilities "raw"         "Show the record as JSON, or the summary again";
    Run                "run"                 Queries    "run"         "Run the statement";
    Edit               "edit"                Queries    "edit"        "Edit the statement or the input";
    New                "new"                 Queries    "new"         "Write a new statement";
    Undo               "undo"                Queries    "undo"        "Take the last change of the text back";
    Redo               "redo"                Queries    "redo"        "Make the change that was taken back again";
    LeaveEditor        "leave-editor"        Queries    "done"        "Leave the editor";
    Complete           "complete"            Queries    "complete"    "Complete the word";
    Format             "format"              Queries    "format"      "Lay the statement out";
    Cancel             "cancel"              Queries    "cancel"      "Cancel the query that runs";
    Chart              "chart"               Queries    "chart"       "Show a result of two columns as bars, or as a table again";
    Parameters         "parameters"          Queries    "parameters"  "Fill in the statement's parameters";
    Start              "start"               Workflows  "start"       "Start an execution";
    Again              "again"               Workflows  "again"       "Start again with the same input";
    Stop               "stop"                Workflows  "stop"        "Stop the execution";
    Redrive            "redrive"             Workflows  "redrive"     "Redrive from the state that failed";
    Follow             "follow"              Workflows  "follow"      "Follow what runs, or stay here";
    Fold               "fold"                Workflows  "fold"        "Fold or unfold";
    Failing            "failing"             Workflows  "failing"     "Only what failed, or everything";
    Status             "status"              Workflows  "status"      "Only executions of one status";
    Board              "board"               Workflows  "board"       "What runs now, of every state machine";
    Watch              "watch"               Workflows  "watch"       "Ring the bell when this execution ends";
    Releases           "releases"            Workflows  "versions"    "Versions and aliases of the state machine";
    CopyReport         "copy-report"         Workflows  "copy report" "Copy what went wrong as Markdown";
    Related            "related"             Workflows  "go to"       "Go to what this leads to: a nested execution, its parent, a query, a log";
    Answer             "answer"              Workflows  "answer"      "Answer a task that waits for its token";
    Load               "load"                Workflows  "load"        "Take the input from a file";
    Layout             "layout"              Workflows  "layout"      "The graph as a picture, or as rows";
    PreviousVisit      "previous-visit"      Workflows  "pass before" "To the pass, iteration or branch before";
    NextVisit          "next-visit"          Workflows  "next pass"   "To the next pass, iteration or branch";
    Item               "item"                Workflows  "item"        "One item of a Map or branch of a Parallel by itself";
    ZoomIn             "zoom-in"             Workflows  "zoom in"     "Half as much time on the whole width";
    ZoomOut            "zoom-out"            Workflows  "zoom out"    "Twice as much time";
    ZoomAll            "zoom-all"            Workflows  "whole"       "The whole time";
    PanLeft            "pan-left"            Workflows  "pan left"    "What lies left of the window";
    PanRight           "pan-right"           Workflows  "pan right"   "What lies right of the window";
    Tail               "tail"                Activity   "follow"      "Follow the log, or stay here";
    Since              "since"               Activity   "since"       "Change how far the log goes back";
    Help               "help"                Shell      "all"         "Every key of this place";
    Palette            "palette"             Shell      "palette"     "Every action, by name";
    Problems           "problems"            Shell      "problems"    "What went wrong, with remedies";
    ToggleMouse        "toggle-mouse"        Shell      "mouse"       "Give the mouse to the terminal, or take it";
    ToggleZone         "toggle-zone"         Shell      "zone"        "Times in UTC or local time";
    NextTheme          "next-theme"          Shell      "theme"       "The next theme";
    Suspend            "suspend"             Shell      "suspend"     "To the shell; `fg` comes back";
    Quit               "quit"                Shell      "quit"        "Leave; what runs in the cloud goes on";
}

impl Action {
    /// Whether it starts, stops or changes something in the account: a read-only session is without it.
    /// (A query is judged by its statement when it is run; cancelling one only ends what was begun here.)
    pub fn changes(self) -> bool {
        matches!(self, Action::Start | Action::Again | Action::Stop | Action::Redrive | Action::Answer)
    }

    pub fn named(name: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Action::ALL.len());
    }
}
