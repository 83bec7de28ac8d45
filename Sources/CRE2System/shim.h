/* RE2 is a C++ library: the C face of it is in the CRE2 target. */
