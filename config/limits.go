package config

// Bounds on what one configuration may ask of us. They are far above any real file; beyond them there is one clear error.
const (
	maxFileSize   = 64 << 20 // bytes of one file
	maxTotalSize  = 256 << 20
	maxRepeats    = 200_000   // lines made by sequences
	maxLines      = 2_000_000 // logical lines after expansion
	maxExpanded   = 256 << 20 // bytes of logical lines after expansion
	maxLineSize   = 1 << 20   // bytes of one line after substitution
	maxNesting    = 32        // blocks in blocks
	maxSubst      = 64        // definitions within definitions
	maxInclude    = 32        // includes within includes
	maxFiles      = 10_000
	maxBraces     = 1_000 // alternatives of one include pattern
	maxReports    = 500
	maxYAMLNodes  = 10_000_000
	maxRangeAddrs = 65_536
)
