#pragma once

#include "flipback/observation.hpp"

#include <span>

/// What chance alone makes of counts: the tests that `surely` and `worse` are built from (packaging/docs/rules.md: "Sure, and worse").
namespace flipback::rules {

/// P(X ≥ `at_least`) of a binomial X: how many of `of` come out so, each with chance `p`. Whole numbers, 0 ≤ p ≤ 1; relative error below
/// 1e-9. 0 where it is too small for a double.
double binomial_tail(double at_least, double of, double p);

/// Fisher's exact test, one-sided: the chance of at least `errors` among `requests`, were the errors of both spread over the requests of
/// both at random. Whole numbers; relative error as above.
double fisher_tail(double errors, double requests, double other_errors, double other_requests);

/// How errors clump: the variance of the blocks' errors over what a binomial would have, Pearson's χ² over its degrees of freedom, within
/// [1, 20]. One where nothing can be told: fewer than 5 blocks, fewer than 3 errors, or nothing but errors.
double clumping(std::span<const pooled> blocks);

}  // namespace flipback::rules
