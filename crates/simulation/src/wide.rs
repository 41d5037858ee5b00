//! Functions that are compiled twice: for any processor of their kind, and for those with wider registers.
//!
//! A program for many machines is compiled for the oldest of them, whose registers hold two numbers of 64 bits. Most have
//! registers of four (AVX2). Which they are is asked when the program runs. Both versions are the same Rust and do the same
//! steps, none of which is contracted with another, so they give the same bits; tests hold them to it.

/// Defines a function that calls another one, marked `#[inline(always)]`, compiled for wider registers where there are any.
macro_rules! compiled_twice {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($argument:ident: $kind:ty),+ $(,)?) from $body:expr;) => {
        $(#[$doc])*
        #[inline(never)]
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "the processor has just said that it has what `wide` is compiled for")
        )]
        $vis fn $name($($argument: $kind),+) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($argument: $kind),+) {
                    $body($($argument),+)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    return unsafe { wide($($argument),+) };
                }
            }
            $body($($argument),+)
        }
    };
}

pub(crate) use compiled_twice;
