//! Typed identifiers, so that a visit can't be passed where a form is meant.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Words;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the identifier's text.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// Returns the identifier's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the same identifier, with the one copy of its text that `words` keeps.
            pub fn shared(&self, words: &mut Words) -> Self {
                Self(words.one(&self.0))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    )*};
}

ids! {
    /// A study, as its file names it.
    StudyId;
    /// A participant's number in one study, such as `05-003`.
    SubjectId;
    /// A site.
    SiteId;
    /// A person with an account; never a name.
    PersonId;
    /// A role of the study.
    RoleId;
    /// An arm.
    ArmId;
    /// A visit of the schedule, such as `M6`; unscheduled ones carry their own number (`U1`).
    VisitId;
    /// A form.
    FormId;
    /// An item within a form.
    ItemId;
    /// A code list.
    CodelistId;
    /// An eligibility rule, such as `B-I3`.
    RuleId;
    /// An edit check within a form.
    CheckId;
    /// A class of data that rights are given by.
    DataClassId;
    /// A data query.
    QueryId;
    /// A medication kit's printed number.
    KitNumber;
    /// A specimen's blind code.
    SpecimenCode;
    /// A deviation.
    DeviationId;
    /// A stopping rule, or planned looks, that the safety board watches.
    WatchId;
    /// An analysis parameter, such as `MRSS`.
    ParameterId;
    /// An analysis set.
    AnalysisSetId;
    /// An estimand or endpoint, such as `B-P1`.
    EstimandId;
    /// An analysis of the plan.
    AnalysisId;
    /// A stated fact of the protocol or its publications.
    FactId;
}
