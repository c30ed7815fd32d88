//! Roles to styles. Screens speak of roles; themes live in `assets/themes/*.toml`.
//!
//! A style is written as words: `"#8ff09a bold"`, `"default dim"`, `"black on yellow"`. Colours are the
//! sixteen names of the terminal's palette (`red`, `bright-red`, …), `default`, or `#rrggbb`.

use ratatui::style::{Color, Modifier, Style};

macro_rules! roles {
    ($($role:ident $name:literal)*) => {
        /// What a piece of text is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role { $($role),* }

        impl Role {
            pub const ALL: &'static [Role] = &[$(Role::$role),*];

            /// The name in a theme file.
            pub fn name(self) -> &'static str {
                match self { $(Role::$role => $name),* }
            }
        }
    };
}

roles! {
    Text "text"
    Strong "strong"
    Dim "dim"
    Accent "accent"
    Rule "rule"
    Good "good"
    Active "active"
    Quiet "quiet"
    Warn "warn"
    Alert "alert"
    Bad "bad"
    Lapsed "lapsed"
    Muted "muted"
    Selected "selected"
    Unfocused "unfocused"
    Match "match"
    Key "key"
    Local "local"
    Remote "remote"
}

/// One theme.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    pub name: String,
    styles: Vec<Style>,
    /// The background against which contrast is computed; painted when `paint` is set.
    pub ground: Option<(u8, u8, u8)>,
    pub paint: bool,
}

const SHIPPED: [(&str, &str); 5] = [
    ("ansi", include_str!("../../assets/themes/ansi.toml")),
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.toml")),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

impl Theme {
    /// The names that can be chosen, besides `auto`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// A shipped theme; the sixteen colours for a name that is none.
    pub fn named(name: &str) -> Theme {
        let (name, text) = SHIPPED.iter().find(|(known, _)| *known == name).unwrap_or(&SHIPPED[0]);
        // A test reads every shipped theme; a style that is missing would be plain text.
        Theme::parse(name, text).unwrap_or_else(|_| Theme {
            name: (*name).to_string(),
            styles: vec![Style::new(); Role::ALL.len()],
            ground: None,
            paint: false,
        })
    }

    /// The theme after this one, for going through them all.
    pub fn next(&self) -> Theme {
        let at = SHIPPED.iter().position(|(name, _)| *name == self.name).map_or(0, |at| at + 1);
        Theme::named(SHIPPED[at % SHIPPED.len()].0)
    }

    /// Reads a theme file. The error names the role and what is wrong with it.
    pub fn parse(name: &str, text: &str) -> Result<Theme, String> {
        let file: toml::Table = text.parse().map_err(|error| format!("Theme {name} is not TOML: {error}"))?;
        let mut theme = Theme {
            name: name.to_string(),
            styles: vec![Style::new(); Role::ALL.len()],
            ground: None,
            paint: false,
        };
        for role in Role::ALL {
            let words = file.get(role.name()).and_then(toml::Value::as_str);
            let words = words.ok_or_else(|| format!("Theme {name} has no text for `{}`", role.name()))?;
            let style = style(words).map_err(|wrong| format!("Theme {name}, `{}`: {wrong}", role.name()))?;
            theme.styles[*role as usize] = style;
        }
        if let Some(ground) = file.get("ground").and_then(toml::Value::as_str) {
            match color(ground) {
                Ok(Color::Rgb(r, g, b)) => theme.ground = Some((r, g, b)),
                _ => return Err(format!("Theme {name}, `ground`: `{ground}` is not of the form #rrggbb")),
            }
        }
        theme.paint = file.get("paint").and_then(toml::Value::as_bool).unwrap_or(false);
        if let Some(key) = file.keys().find(|key| {
            !["ground", "paint"].contains(&key.as_str()) && !Role::ALL.iter().any(|role| role.name() == *key)
        }) {
            return Err(format!("Theme {name}: there is no role `{key}`"));
        }
        Ok(theme)
    }

    pub fn style(&self, role: Role) -> Style {
        let style = self.styles[role as usize];
        match self.ground {
            Some((r, g, b)) if self.paint && style.bg.is_none() => style.bg(Color::Rgb(r, g, b)),
            _ => style,
        }
    }

    /// The style of a role on the selected row. Where the selection is the reverse of the palette, it
    /// stands alone, since a reversed green or red would shout.
    pub fn selected(&self, role: Role, focused: bool) -> Style {
        let ground = self.styles[if focused { Role::Selected } else { Role::Unfocused } as usize];
        if ground.add_modifier.contains(Modifier::REVERSED) {
            return ground;
        }
        self.styles[role as usize].patch(ground)
    }

    /// The title of a pane.
    pub fn title(&self, focused: bool) -> Style {
        self.style(if focused { Role::Accent } else { Role::Dim })
    }
}

fn style(words: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut background = false;
    for word in words.split_whitespace() {
        match word {
            "on" => background = true,
            "bold" => style = style.add_modifier(Modifier::BOLD),
            "dim" => style = style.add_modifier(Modifier::DIM),
            "italic" => style = style.add_modifier(Modifier::ITALIC),
            "underlined" => style = style.add_modifier(Modifier::UNDERLINED),
            "reversed" => style = style.add_modifier(Modifier::REVERSED),
            "default" => background = false,
            other => {
                let color = color(other)?;
                style = if background { style.bg(color) } else { style.fg(color) };
                background = false;
            }
        }
    }
    Ok(style)
}

fn color(word: &str) -> Result<Color, String> {
    if let Some(hex) = word.strip_prefix('#') {
        return match (hex.len(), u32::from_str_radix(hex, 16)) {
            (6, Ok(rgb)) => Ok(Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)),
            _ => Err(format!("`{word}` is not of the form #rrggbb")),
        };
    }
    Ok(match word {
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        other => return Err(format!("`{other}` is neither a colour nor a modifier")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rgb = (u8, u8, u8);

    /// Relative luminance as WCAG 2.2 defines it.
    fn luminance((r, g, b): Rgb) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    fn rgb(color: Option<Color>) -> Option<Rgb> {
        match color {
            Some(Color::Rgb(r, g, b)) => Some((r, g, b)),
            _ => None,
        }
    }

    #[test]
    fn every_shipped_theme_is_whole() {
        for (name, text) in SHIPPED {
            assert_eq!(Theme::parse(name, text).map(|theme| theme.name), Ok(name.to_string()));
        }
        assert!(Theme::parse("x", "text = \"pink\"").is_err_and(|error| error.contains("`pink`")));
    }

    #[test]
    fn text_can_be_read() {
        for name in ["dark", "light", "high-contrast"] {
            let theme = Theme::named(name);
            let ground = theme.ground.expect("an RGB theme states its ground");
            for role in Role::ALL {
                let style = theme.styles[*role as usize];
                let below = rgb(style.bg).unwrap_or(ground);
                let Some(ink) = rgb(style.fg) else {
                    assert!(
                        matches!(role, Role::Selected | Role::Unfocused),
                        "{name}: {role:?} has no colour"
                    );
                    continue;
                };
                let wanted = match role {
                    Role::Text | Role::Strong => 7.0,
                    Role::Rule => 1.3,
                    _ => 4.5,
                };
                let found = contrast(ink, below);
                assert!(found >= wanted, "{name}: {role:?} has {found:.2}, needs {wanted}");
                if style.bg.is_none() && *role != Role::Rule {
                    for selection in [Role::Selected, Role::Unfocused] {
                        let below = rgb(theme.styles[selection as usize].bg).unwrap_or(ground);
                        let found = contrast(ink, below);
                        assert!(found >= 4.5, "{name}: {role:?} on {selection:?} has {found:.2}");
                    }
                }
            }
        }
    }

    #[test]
    fn good_and_bad_differ_in_lightness() {
        for name in ["dark", "light", "high-contrast"] {
            let theme = Theme::named(name);
            let ink = |role: Role| rgb(theme.styles[role as usize].fg).unwrap_or_default();
            let found = contrast(ink(Role::Good), ink(Role::Bad));
            assert!(found >= 1.5, "{name}: {found:.2}");
        }
    }
}
