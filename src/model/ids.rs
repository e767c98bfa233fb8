//! Names of things as distinct types, so that a site is never passed where a camera is meant.

use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, sync::Arc};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[derive(utoipa::ToSchema)]
        #[schema(value_type = String)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as it stands in the configuration and in metric labels.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )*};
}

ids! {
    /// One video channel.
    CameraId
    /// One network host: a camera, or a recorder with several.
    DeviceId
    /// A place that must be seen.
    SiteId
    /// What lies above the hamlet: a commune, an old commune, a district of work.
    AreaId
    /// What devices share: an uplink, a switch, a power feeder.
    LinkId
    /// A commune of a province, by the schema that holds its journal.
    CommuneId
    /// A machine that shares a province's communes with others.
    MemberId
    /// A way to tell somebody: a webhook, an ntfy topic.
    ChannelId
    /// Somebody on the roster.
    PersonId
}
