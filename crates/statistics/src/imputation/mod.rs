//! Multiple imputation of missing responses.

mod pooling;

pub use pooling::{Pooled, PooledDegrees, pool};
