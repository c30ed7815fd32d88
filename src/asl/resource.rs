//! What a Task's Resource means.

/// How an integration waits for the work it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    RequestResponse,
    /// `.sync`
    Sync,
    /// `.sync:2`: the result's JSON is unfolded.
    Sync2,
    /// `.waitForTaskToken`
    Callback,
}

/// A Task's Resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `arn:aws:lambda:…:function:name`: the input is the payload, the result is the answer's payload.
    Lambda(String),
    /// `arn:aws:states:…:activity:name`
    Activity(String),
    Integration(Integration),
}

/// `arn:aws:states:::athena:startQueryExecution.sync`, `arn:aws:states:::aws-sdk:s3:copyObject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    pub arn: String,
    /// `athena`, `s3`: without `aws-sdk:`.
    pub service: String,
    /// `startQueryExecution`
    pub action: String,
    /// Whether it is the generic `aws-sdk` form.
    pub sdk: bool,
    pub pattern: Pattern,
}

/// The optimised integrations of AWS: service, action, and whether `.sync` (1), `.sync:2` (2) and
/// `.waitForTaskToken` (4) exist.
const OPTIMISED: &[(&str, &[(&str, u8)])] = &[
    ("apigateway", &[("invoke", 4)]),
    (
        "athena",
        &[
            ("startQueryExecution", 1),
            ("stopQueryExecution", 0),
            ("getQueryExecution", 0),
            ("getQueryResults", 0),
        ],
    ),
    ("batch", &[("submitJob", 1)]),
    ("bedrock", &[("invokeModel", 0), ("createModelCustomizationJob", 1)]),
    (
        "codebuild",
        &[
            ("startBuild", 1),
            ("stopBuild", 0),
            ("batchDeleteBuilds", 0),
            ("batchGetReports", 0),
            ("startBuildBatch", 1),
            ("stopBuildBatch", 0),
            ("retryBuildBatch", 1),
            ("deleteBuildBatch", 0),
        ],
    ),
    ("databrew", &[("startJobRun", 1)]),
    ("dynamodb", &[("getItem", 0), ("putItem", 0), ("deleteItem", 0), ("updateItem", 0)]),
    ("ecs", &[("runTask", 1 | 4)]),
    (
        "eks",
        &[
            ("call", 0),
            ("runJob", 1),
            ("createCluster", 1),
            ("deleteCluster", 1),
            ("createNodegroup", 1),
            ("deleteNodegroup", 1),
            ("createFargateProfile", 1),
            ("deleteFargateProfile", 1),
        ],
    ),
    (
        "elasticmapreduce",
        &[
            ("addStep", 1),
            ("cancelStep", 0),
            ("createCluster", 1),
            ("setClusterTerminationProtection", 0),
            ("terminateCluster", 1),
            ("modifyInstanceFleetByName", 0),
            ("modifyInstanceGroupByName", 0),
        ],
    ),
    ("emr-containers", &[("createVirtualCluster", 0), ("deleteVirtualCluster", 1), ("startJobRun", 1)]),
    (
        "emr-serverless",
        &[
            ("createApplication", 1),
            ("deleteApplication", 1),
            ("startApplication", 1),
            ("stopApplication", 1),
            ("startJobRun", 1),
            ("cancelJobRun", 1),
        ],
    ),
    ("events", &[("putEvents", 4)]),
    ("glue", &[("startJobRun", 1)]),
    ("http", &[("invoke", 0)]),
    ("lambda", &[("invoke", 4)]),
    ("mediaconvert", &[("createJob", 1)]),
    (
        "sagemaker",
        &[
            ("createTrainingJob", 1),
            ("createTransformJob", 1),
            ("createHyperParameterTuningJob", 1),
            ("createLabelingJob", 1),
            ("createProcessingJob", 1),
            ("createEndpoint", 0),
            ("createEndpointConfig", 0),
            ("createModel", 0),
            ("updateEndpoint", 0),
        ],
    ),
    ("sns", &[("publish", 4)]),
    ("sqs", &[("sendMessage", 4)]),
    ("states", &[("startExecution", 1 | 2 | 4)]),
];

impl Resource {
    /// Reads an ARN; `None` when Step Functions would not recognise it.
    pub fn parse(arn: &str) -> Option<Resource> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", partition, service, region, account, rest] = parts.as_slice() else { return None };
        if !partition.starts_with("aws") {
            return None;
        }
        match service {
            "lambda" if rest.starts_with("function:") && !region.is_empty() => {
                Some(Resource::Lambda(arn.to_owned()))
            }
            "states" if !account.is_empty() => rest
                .strip_prefix("activity:")
                .filter(|n| !n.is_empty())
                .map(|_| Resource::Activity(arn.to_owned())),
            "states" if region.is_empty() => integration(arn, rest).map(Resource::Integration),
            _ => None,
        }
    }

    pub fn arn(&self) -> &str {
        match self {
            Resource::Lambda(arn) | Resource::Activity(arn) => arn,
            Resource::Integration(i) => &i.arn,
        }
    }

    /// The short name for drawings: `athena:getQueryExecution`, a function's name, an activity's name.
    pub fn label(&self) -> String {
        match self {
            Resource::Lambda(arn) | Resource::Activity(arn) => {
                arn.splitn(7, ':').nth(6).unwrap_or(arn).to_owned()
            }
            Resource::Integration(i) => format!("{}:{}", i.service, i.resource()),
        }
    }
}

impl Integration {
    /// `resourceType` of the events: `athena`, `aws-sdk:s3`.
    pub fn resource_type(&self) -> String {
        if self.sdk { format!("aws-sdk:{}", self.service) } else { self.service.clone() }
    }

    /// `resource` of the events: `startExecution.sync:2`.
    pub fn resource(&self) -> String {
        let suffix = match self.pattern {
            Pattern::RequestResponse => "",
            Pattern::Sync => ".sync",
            Pattern::Sync2 => ".sync:2",
            Pattern::Callback => ".waitForTaskToken",
        };
        format!("{}{suffix}", self.action)
    }
}

fn integration(arn: &str, rest: &str) -> Option<Integration> {
    let (rest, pattern) = if let Some(rest) = rest.strip_suffix(".sync:2") {
        (rest, Pattern::Sync2)
    } else if let Some(rest) = rest.strip_suffix(".sync") {
        (rest, Pattern::Sync)
    } else if let Some(rest) = rest.strip_suffix(".waitForTaskToken") {
        (rest, Pattern::Callback)
    } else {
        (rest, Pattern::RequestResponse)
    };
    let (sdk, rest) = rest.strip_prefix("aws-sdk:").map_or((false, rest), |rest| (true, rest));
    let (service, action) = rest.split_once(':')?;
    let word =
        |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !word(service) || !word(action) {
        return None;
    }
    if sdk {
        let camel = action.starts_with(|c: char| c.is_ascii_lowercase());
        if !camel || !matches!(pattern, Pattern::RequestResponse | Pattern::Callback) {
            return None;
        }
    } else {
        let (_, actions) = OPTIMISED.iter().find(|(name, _)| *name == service)?;
        let (_, patterns) = actions.iter().find(|(name, _)| *name == action)?;
        let bit = match pattern {
            Pattern::RequestResponse => 0,
            Pattern::Sync => 1,
            Pattern::Sync2 => 2,
            Pattern::Callback => 4,
        };
        if patterns & bit != bit {
            return None;
        }
    }
    Some(Integration {
        arn: arn.to_owned(),
        service: service.to_owned(),
        action: action.to_owned(),
        sdk,
        pattern,
    })
}
