use super::*;

fn file(text: &str) -> Sources {
    Sources { file: Some(("config.toml".into(), text.into())), ..Sources::default() }
}

fn environment(mut sources: Sources, variables: &[(&str, &str)]) -> Sources {
    sources.environment = variables.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    sources
}

fn flags(mut sources: Sources, flags: &[(&'static str, &str)]) -> Sources {
    sources.flags = flags.iter().map(|(name, text)| (*name, (*text).into())).collect();
    sources
}

fn local() -> Target {
    Target::Local { dir: None, ephemeral: false, region: None }
}

#[test]
fn the_shipped_file_equals_the_defaults_and_names_every_key() {
    let shipped = include_str!("../../assets/config.toml");
    assert_eq!(Settings::merge(&file(shipped)).unwrap().entries().count(), keys::KEYS.len());
    // Taking the comment sign off every setting must change nothing.
    let setting = regex::Regex::new(r"^# ([a-z_]+ = .*)$").unwrap();
    let live: Vec<&str> = shipped
        .lines()
        .take_while(|line| !line.starts_with("# [context."))
        .filter_map(|line| setting.captures(line).map(|found| found.get(1).unwrap().as_str()))
        .collect();
    let settings = Settings::merge(&file(&live.join("\n"))).unwrap();
    let defaults = Settings::default();
    for ((key, text, origin), (_, default, _)) in settings.entries().zip(defaults.entries()) {
        assert_eq!(text, default, "{}", key.name);
        assert!(matches!(origin, Origin::File { .. }), "{} is missing from the file", key.name);
        assert!(shipped.contains(key.help), "the file explains {}: {}", key.name, key.help);
    }
}

#[test]
fn the_contexts_shown_in_the_shipped_file_are_valid() {
    let shipped = include_str!("../../assets/config.toml");
    let (_, contexts) = shipped.split_once("# [context.").unwrap();
    let live: String = format!("# [context.{contexts}").replace("# ", "");
    let settings = Settings::merge(&file(&live)).unwrap();
    assert!(!settings.contexts.is_empty());
}

#[test]
fn a_later_layer_wins_and_is_named() {
    let text = "bucket = \"from-file\"\nprefix = \"in\"\nas_of = 2026-01-01\nread_only = true\n";
    let sources = flags(
        environment(file(text), &[("WARD_BUCKET", "from-env"), ("WARD_TABLE", "t"), ("HOME", "/x")]),
        &[("table", "from-flag")],
    );
    let settings = Settings::merge(&sources).unwrap();
    assert_eq!(settings.bucket, "from-env");
    assert_eq!(settings.origin("bucket"), Origin::Variable("WARD_BUCKET".into()));
    assert_eq!(settings.table, "from-flag");
    assert_eq!(settings.origin("table").to_string(), "--table");
    assert_eq!(settings.prefix, "in/", "a prefix ends with a slash");
    assert_eq!(settings.origin("prefix").to_string(), "config.toml:2");
    assert_eq!(settings.as_of, NaiveDate::from_ymd_opt(2026, 1, 1));
    assert!(settings.read_only);
    assert_eq!(settings.origin("database"), Origin::Default);
}

#[test]
fn mistakes_are_named_with_line_and_fix() {
    let text =
        "bucket = \"bkt\"\nbuket = \"c\"\nas_of = \"2026-02-30\"\nmouse = \"maybe\"\nwithin = \"soon\"\n";
    let errors = Settings::merge(&file(text)).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].to_string(), "config.toml:2: there is no setting buket (did you mean bucket?)");
    let errors = Settings::merge(&file(&text.replace("buket = \"c\"", ""))).unwrap_err();
    let lines: Vec<String> = errors.iter().map(|error| error.place.to_string()).collect();
    assert_eq!(lines, ["config.toml:3", "config.toml:4", "config.toml:5"]);
    assert!(errors[1].fix.contains("true or false"), "{}", errors[1]);
    let errors = Settings::merge(&file("bucket = \"bkt\"\nprefix = \n")).unwrap_err();
    assert_eq!(errors[0].place, Place::File { path: "config.toml".into(), line: 2 });
    let errors = Settings::merge(&environment(Sources::default(), &[("WARD_BUCKT", "x")])).unwrap_err();
    assert!(errors[0].to_string().contains("WARD_BUCKET"), "{}", errors[0]);
}

#[test]
fn a_bucket_that_s3_does_not_allow_is_refused_wherever_it_is_said() {
    let told = |sources: &Sources| Settings::merge(sources).unwrap_err()[0].to_string();
    let rule = "S3 has names of 3 to 63 of a-z, 0-9, - and ., a letter or digit at both ends";
    let none = Sources::default;
    assert_eq!(
        told(&flags(none(), &[("bucket", "5")])),
        format!("--bucket: \"5\" is not a value of bucket ({rule})")
    );
    let variable = environment(none(), &[("WARD_BUCKET", "My_Bucket")]);
    assert_eq!(told(&variable), format!("WARD_BUCKET: \"My_Bucket\" is not a value of bucket ({rule})"));
    let filed = file("utc = true\nbucket = \"My_Bucket\"\n");
    assert_eq!(told(&filed), format!("config.toml:2: \"My_Bucket\" is not a value of bucket ({rule})"));
    // What is no text in TOML is not taken for one.
    for (line, kind) in
        [("bucket = 555", "integer"), ("table = true", "boolean"), ("topic = 2026-01-01", "datetime")]
    {
        let said = told(&file(line));
        assert!(said.contains(&format!("is of TOML's type {kind}, not text (write ")), "{said}");
    }
}

#[test]
fn the_region_is_aws_s_own_where_nothing_of_ours_says_one() {
    let both = [("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_REGION", "ap-south-1")];
    let url = [("endpoint_url", "http://127.0.0.1:1")];
    let region = |variables: &[(&str, &str)], given: &[(&'static str, &str)]| {
        let settings = Settings::merge(&flags(environment(Sources::default(), variables), given)).unwrap();
        let region = settings.region.clone().unwrap_or_default();
        let Target::Endpoint { region: used, .. } = &settings.target else { panic!("{:?}", settings.target) };
        assert_eq!(*used, settings.region, "what is shown is what is used");
        (region, settings.origin("region").to_string())
    };
    let pair = |region: &str, origin: &str| (region.to_owned(), origin.to_owned());
    assert_eq!(region(&both, &url), pair("ap-south-1", "AWS_REGION"));
    assert_eq!(region(&both[..1], &url), pair("eu-west-1", "AWS_DEFAULT_REGION"));
    assert_eq!(region(&[("AWS_REGION", ""), both[0]], &url), pair("eu-west-1", "AWS_DEFAULT_REGION"));
    let given = [url[0], ("region", "us-west-2")];
    assert_eq!(region(&both, &given), pair("us-west-2", "--region"));
    // The local cloud is where it is.
    let local = Settings::merge(&environment(Sources::default(), &both)).unwrap();
    assert_eq!((local.region.clone(), local.origin("region")), (None, Origin::Default));
}

#[test]
fn the_target_comes_from_the_uppermost_layer_that_says_one() {
    let target = |sources: &Sources| Settings::merge(sources).unwrap().target;
    let none = Sources::default;
    assert_eq!(target(&none()), local());
    // AWS_PROFILE alone never leaves local, and a hint says how to go there.
    let sources = environment(none(), &[("AWS_PROFILE", "prod")]);
    assert_eq!(target(&sources), local());
    assert!(Settings::merge(&sources).unwrap().hint.unwrap().contains("--profile prod"));

    let aws = |profile: &str| Target::Aws { profile: Some(profile.into()), region: None };
    let endpoint = |url: &str| Target::Endpoint { url: url.into(), region: None, profile: None };
    let in_file = file("profile = \"filed\"");
    assert_eq!(target(&in_file), aws("filed"));
    let url = "http://127.0.0.1:4566";
    assert!(matches!(
        target(&environment(in_file.clone(), &[("AWS_ENDPOINT_URL", url)])),
        Target::Endpoint { .. }
    ));
    assert_eq!(target(&environment(none(), &[("AWS_ENDPOINT_URL", url)])), endpoint(url));
    let both = environment(none(), &[("AWS_ENDPOINT_URL", url), ("WARD_PROFILE", "p")]);
    assert_eq!(target(&both), aws("p"));
    assert_eq!(
        target(&flags(both.clone(), &[("ephemeral", "true")])),
        Target::Local { dir: None, ephemeral: true, region: None }
    );
    assert_eq!(
        target(&flags(none(), &[("region", "eu-central-1")])),
        Target::Local { dir: None, ephemeral: false, region: Some("eu-central-1".into()) },
        "a region alone does not leave local"
    );
}

#[test]
fn a_context_is_whole_and_lies_under_the_layer_that_names_it() {
    let text = "bucket = \"top\"\nprofile = \"top\"\n[context.prod]\nprofile = \"prod\"\nbucket = \"prod-bucket\"\n\
                region = \"eu-west-1\"\n[context.moto]\nendpoint_url = \"http://127.0.0.1:5000/\"\n";
    let sources = environment(file(text), &[("WARD_BUCKET", "env"), ("WARD_CONTEXT", "moto")]);
    let settings = Settings::merge(&sources).unwrap();
    assert_eq!(
        settings.target,
        Target::Endpoint { url: "http://127.0.0.1:5000".into(), region: None, profile: None }
    );
    assert_eq!(settings.bucket, "env");
    assert_eq!(settings.contexts, ["moto", "prod"]);
    let settings = Settings::merge(&flags(sources.clone(), &[("context", "prod")])).unwrap();
    assert_eq!(
        settings.target,
        Target::Aws { profile: Some("prod".into()), region: Some("eu-west-1".into()) }
    );
    assert_eq!(settings.bucket, "prod-bucket", "the flag's context beats the variable");
    assert_eq!(settings.origin("bucket").to_string(), "context prod, config.toml:5");
    let settings = Settings::merge(&flags(sources.clone(), &[("context", "local")])).unwrap();
    assert_eq!(settings.target, local());
    let errors = Settings::merge(&flags(sources, &[("context", "nowhere")])).unwrap_err();
    assert!(errors[0].to_string().contains("moto, prod, local"), "{}", errors[0]);
}
