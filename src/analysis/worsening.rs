//! A worsening as people say it, as a share, and as the difference of logarithms that is computed with: 10 % worse is ln 1.1 of a
//! response time, which grows, and -ln 0.9 of throughput, which falls.

/// The logarithm of a worsening by a share. Of what falls no more than all can be lost, and that is infinite.
pub(super) fn log_of(share: f64, more_is_worse: bool) -> f64 {
    if more_is_worse { share.ln_1p() } else { -(-share.min(1.0)).ln_1p() }
}

/// The share of a worsening by a logarithm.
pub(super) fn share_of(log: f64, more_is_worse: bool) -> f64 {
    if more_is_worse { log.exp_m1() } else { -(-log).exp_m1() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_more_and_a_tenth_less_are_two_logarithms() {
        assert!((log_of(0.1, true) - 1.1_f64.ln()).abs() < 1e-12);
        assert!((log_of(0.1, false) + 0.9_f64.ln()).abs() < 1e-12);
        for (share, more_is_worse) in [(0.1, true), (0.1, false), (5.0, true), (0.99, false)] {
            assert!((share_of(log_of(share, more_is_worse), more_is_worse) - share).abs() < 1e-12);
        }
        assert!(log_of(3.0, false).is_infinite() && (share_of(f64::INFINITY, false) - 1.0).abs() < 1e-12);
    }
}
