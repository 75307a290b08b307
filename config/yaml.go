package config

func readYAML(r *reader, src *source) *node {
	r.add(src, 0, 0, 0, Error, "not-built", "", "YAML is not built yet")
	return nil
}
