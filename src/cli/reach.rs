//! From settings to clients: attaches to the local cloud, starts an ephemeral one, or goes to AWS.

use crate::aws::{self, Aws, Permit};
use crate::domain::problem::Problem;
use crate::settings::{Settings, Target};

/// A connection, and what this process keeps alive for it.
pub struct Reached {
    pub aws: Aws,
}

impl Reached {
    pub async fn close(self) {}
}

/// What the settings' target is reached by.
pub async fn reach(settings: &Settings) -> Result<Reached, Problem> {
    let permit = if settings.read_only { Permit::ReadOnly } else { Permit::ReadWrite };
    match &settings.target {
        Target::Aws { profile, region } => {
            let target = aws::Target::Aws { profile: profile.clone(), region: region.clone() };
            Ok(plain(aws::connect(&target, permit).await))
        }
        Target::Endpoint { url, region, profile } => {
            let target =
                aws::Target::Endpoint { url: url.clone(), region: region.clone(), profile: profile.clone() };
            Ok(plain(aws::connect(&target, permit).await))
        }
        Target::Local { .. } => local(settings, permit).await,
    }
}

fn plain(aws: Aws) -> Reached {
    Reached { aws }
}

#[cfg(not(feature = "local"))]
async fn local(_: &Settings, _: Permit) -> Result<Reached, Problem> {
    Err(Problem::new("This build has no local cloud")
        .detail("It was built without the feature `local`.")
        .hint("Name a target: --profile NAME or --endpoint-url URL"))
}

#[cfg(feature = "local")]
async fn local(settings: &Settings, permit: Permit) -> Result<Reached, Problem> {
    let _ = (settings, permit);
    Err(Problem::new("The local cloud cannot be reached yet"))
}
