//! Small dense matrices in place.
//!
//! A mixed model factors one matrix of 2 to 12 visits for every pattern of observed
//! visits at every step, and one matrix of the size of its coefficients. At these
//! sizes allocation and dispatch cost more than the arithmetic, so these few routines
//! work on row-major slices that the caller keeps. They are tested against nalgebra.

/// A pivot below this share of its diagonal entry counts as zero.
const PIVOT_MIN: f64 = 1e-13;

/// Replaces the lower triangle of the symmetric `n` × `n` matrix `a` by its Cholesky factor L and
/// returns ln |a| with the smallest ratio of a pivot to its diagonal entry (one minus the squared
/// multiple correlation with the rows before); the upper triangle is neither read nor written.
///
/// `None` if a pivot is not positive beyond rounding.
pub(crate) fn cholesky(a: &mut [f64], n: usize) -> Option<(f64, f64)> {
    let (mut log_det, mut least) = (0.0, 1.0f64);
    for i in 0..n {
        let (above, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &above[j * n..j * n + n];
            let mut sum = row[j];
            for (x, y) in row[..j].iter().zip(&other[..j]) {
                sum -= x * y;
            }
            row[j] = sum / other[j];
        }
        let diagonal = row[i];
        let mut pivot = diagonal;
        for x in &row[..i] {
            pivot -= x * x;
        }
        // Written so that a NaN is refused too.
        if !(pivot > PIVOT_MIN * diagonal.abs()) {
            return None;
        }
        least = least.min(pivot / diagonal);
        log_det += pivot.ln();
        row[i] = pivot.sqrt();
    }
    Some((log_det, least))
}

/// Replaces a lower triangular factor by its inverse; the upper triangle is left alone.
pub(crate) fn invert_lower(l: &mut [f64], n: usize) {
    for i in 0..n {
        let inverse = 1.0 / l[i * n + i];
        for j in 0..i {
            let mut sum = 0.0;
            for t in j..i {
                sum += l[i * n + t] * l[t * n + j];
            }
            l[i * n + j] = -sum * inverse;
        }
        l[i * n + i] = inverse;
    }
}

/// Writes M'M for the lower triangular `m` to all of `out`: with M = L⁻¹ this is (LL')⁻¹.
pub(crate) fn lower_transposed_times_itself(m: &[f64], n: usize, out: &mut [f64]) {
    for i in 0..n {
        for j in 0..=i {
            let mut sum = 0.0;
            for t in i..n {
                sum += m[t * n + i] * m[t * n + j];
            }
            out[i * n + j] = sum;
            out[j * n + i] = sum;
        }
    }
}

/// Solves L X = B for `columns` right-hand sides at once, in place; `b` is `n` × `columns`.
pub(crate) fn solve_lower(l: &[f64], n: usize, b: &mut [f64], columns: usize) {
    for i in 0..n {
        let (done, rest) = b.split_at_mut(i * columns);
        let row = &mut rest[..columns];
        for j in 0..i {
            let factor = l[i * n + j];
            if factor == 0.0 {
                continue;
            }
            for (x, y) in row.iter_mut().zip(&done[j * columns..(j + 1) * columns]) {
                *x -= factor * y;
            }
        }
        let inverse = 1.0 / l[i * n + i];
        for x in row {
            *x *= inverse;
        }
    }
}

/// Solves L' x = b in place.
pub(crate) fn solve_lower_transposed(l: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        let mut sum = b[i];
        for j in i + 1..n {
            sum -= l[j * n + i] * b[j];
        }
        b[i] = sum / l[i * n + i];
    }
}

/// `out = a b` for `n` × `n` matrices.
pub(crate) fn multiply(a: &[f64], b: &[f64], n: usize, out: &mut [f64]) {
    for i in 0..n {
        let row = &mut out[i * n..(i + 1) * n];
        row.fill(0.0);
        for (t, factor) in a[i * n..(i + 1) * n].iter().enumerate() {
            for (x, y) in row.iter_mut().zip(&b[t * n..(t + 1) * n]) {
                *x += factor * y;
            }
        }
    }
}

/// Σ aᵢ bᵢ, in four running sums so that the processor need not wait for each addition.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sums, mut tail) = ([0.0; 4], 0.0);
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    for (x, y) in a4.remainder().iter().zip(b4.remainder()) {
        tail += x * y;
    }
    for (x, y) in a4.zip(b4) {
        for t in 0..4 {
            sums[t] += x[t] * y[t];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + tail
}

/// `y += factor x`.
pub(crate) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (a, b) in y.iter_mut().zip(x) {
        *a += factor * b;
    }
}

/// Turns the symmetric `n` × `n` matrix `a` into L⁻¹ a L⁻ᵀ; `scratch` is as large as `a`.
pub(crate) fn whiten(l: &[f64], n: usize, a: &mut [f64], scratch: &mut [f64]) {
    solve_lower(l, n, a, n);
    for i in 0..n {
        for j in 0..n {
            scratch[j * n + i] = a[i * n + j];
        }
    }
    solve_lower(l, n, scratch, n);
    a.copy_from_slice(&scratch[..n * n]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Cholesky, DMatrix};

    /// A well-conditioned symmetric matrix, the same every time.
    fn positive(n: usize) -> DMatrix<f64> {
        let mut state = 7u64 + n as u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        let square = DMatrix::from_fn(n, n, |_, _| next());
        &square * square.transpose() + DMatrix::identity(n, n) * 0.1
    }

    fn close(ours: &[f64], theirs: &DMatrix<f64>) {
        let n = theirs.nrows();
        for i in 0..n {
            for j in 0..theirs.ncols() {
                let (x, y) = (ours[i * theirs.ncols() + j], theirs[(i, j)]);
                assert!((x - y).abs() <= 1e-11 * theirs.norm(), "{n}: {x} {y}");
            }
        }
    }

    #[test]
    fn every_routine_agrees_with_nalgebra_for_one_to_twelve_visits() {
        for n in 1..=12 {
            let a = positive(n);
            let factor = Cholesky::new(a.clone()).unwrap();
            let mut l: Vec<f64> = a.transpose().as_slice().to_vec();
            let (log_det, least) = cholesky(&mut l, n).unwrap();
            assert!((log_det - factor.determinant().ln()).abs() < 1e-11);
            assert!(least > 0.0 && least <= 1.0);
            for i in 0..n {
                l[i * n + i + 1..(i + 1) * n].fill(0.0);
            }
            close(&l, &factor.l());
            let b = DMatrix::from_fn(n, 3, |i, j| (i as f64 - 1.3 * j as f64).sin());
            let mut x: Vec<f64> = b.transpose().as_slice().to_vec();
            solve_lower(&l, n, &mut x, 3);
            close(&x, &factor.l().solve_lower_triangular(&b).unwrap());
            let mut y: Vec<f64> = b.column(0).iter().copied().collect();
            solve_lower_transposed(&l, n, &mut y);
            close(&y, &factor.l().tr_solve_lower_triangular(&b.columns(0, 1).into_owned()).unwrap());
            let other = positive(n) * 0.7 + DMatrix::from_element(n, n, 0.2);
            let (mut white, mut scratch) = (other.as_slice().to_vec(), vec![0.0; n * n]);
            whiten(&l, n, &mut white, &mut scratch);
            let inverse = factor.l().try_inverse().unwrap();
            close(&white, &(&inverse * &other * inverse.transpose()));
            let mut product = vec![0.0; n * n];
            multiply(a.as_slice(), other.as_slice(), n, &mut product);
            close(&product, &(&a * &other));
            let mut reciprocal = l.clone();
            invert_lower(&mut reciprocal, n);
            close(&reciprocal, &inverse);
            lower_transposed_times_itself(&reciprocal, n, &mut product);
            close(&product, &factor.inverse());
            let (u, v): (Vec<f64>, Vec<f64>) = ((0..n).map(|i| i as f64 + 0.5).collect(), vec![2.0; n]);
            assert_eq!(dot(&u, &v), (n * n) as f64);
        }
    }

    #[test]
    fn a_singular_matrix_has_no_factor() {
        assert!(cholesky(&mut [1.0, 1.0, 1.0, 1.0], 2).is_none());
        assert!(cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(cholesky(&mut [f64::NAN], 1).is_none());
    }
}
