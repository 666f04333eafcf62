//! Every format of one sample.
