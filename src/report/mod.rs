//! Outputs, each made from a saved run alone.
