package config

import (
	"encoding/json"
	goflag "flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

var update = goflag.Bool("update", false, "write the generated files anew")

func TestGeneratedFilesAreFresh(t *testing.T) {
	for name, want := range map[string]string{"../docs/keywords.md": KeywordsMarkdown(), "../docs/diagnostics.md": DiagnosticsMarkdown(), "../docs/holdfast.schema.json": string(Schema())} {
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != want {
			t.Errorf("%s is not what the keyword table says: run go test ./config -run Generated -update", name)
		}
	}
}

func TestEveryKeywordIsDocumented(t *testing.T) {
	for _, k := range Keywords() {
		if k.Doc == "" && k.Use != "obsolete" {
			t.Errorf("%s %s has no documentation", k.Block, k.Name)
		}
	}
}

// The schema accepts what the reader accepts.
func TestSchemaAcceptsConfigurations(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	converted, _ := convertText(t, many, "yaml")
	for name, text := range map[string]string{"first": firstYAML, "many": converted} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := valid(schema, schema, v, "$"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"vrrp_instance: [{name: A, prioritty: 1}]", "vrrp_instance: [{name: A, priority: 300}]", "virtual_server: [{address: 10.0.0.1, lb_algo: best}]", "global: {}"} {
		var v any
		if err := yaml.Unmarshal([]byte(bad), &v); err != nil {
			t.Fatal(err)
		}
		if valid(schema, schema, v, "$") == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

// valid is the part of JSON Schema that ours uses.
func valid(root, s map[string]any, v any, at string) error {
	if ref, ok := s["$ref"].(string); ok {
		return valid(root, root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), v, at)
	}
	if alternatives, ok := s["anyOf"].([]any); ok {
		var all []string
		for _, a := range alternatives {
			err := valid(root, a.(map[string]any), v, at)
			if err == nil {
				return nil
			}
			all = append(all, err.Error())
		}
		return fmt.Errorf("%s", strings.Join(all, " | "))
	}
	if e, ok := s["enum"].([]any); ok {
		for _, x := range e {
			if fmt.Sprint(x) == fmt.Sprint(v) {
				return nil
			}
		}
		return fmt.Errorf("%s: %v is none of %v", at, v, e)
	}
	if ty, ok := s["type"]; ok && !typed(ty, v) {
		return fmt.Errorf("%s: %v is no %v", at, v, ty)
	}
	if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(fmt.Sprint(v)) {
		return fmt.Errorf("%s: %v does not match %s", at, v, p)
	}
	if n, ok := v.(int); ok {
		if m, ok := s["maximum"].(float64); ok && float64(n) > m {
			return fmt.Errorf("%s: %d is above %v", at, n, m)
		}
	}
	switch x := v.(type) {
	case map[string]any:
		props, _ := s["properties"].(map[string]any)
		for k, e := range x {
			sub, ok := props[k].(map[string]any)
			if !ok {
				if sub, ok = s["additionalProperties"].(map[string]any); !ok {
					return fmt.Errorf("%s: unknown key %s", at, k)
				}
			}
			if err := valid(root, sub, e, at+"."+k); err != nil {
				return err
			}
		}
	case []any:
		items, ok := s["items"].(map[string]any)
		if !ok {
			return fmt.Errorf("%s: no list", at)
		}
		for i, e := range x {
			if err := valid(root, items, e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func typed(ty, v any) bool {
	if list, ok := ty.([]any); ok {
		for _, t := range list {
			if typed(t, v) {
				return true
			}
		}
		return false
	}
	switch v.(type) {
	case nil:
		return ty == "null"
	case bool:
		return ty == "boolean"
	case int:
		return ty == "integer" || ty == "number"
	case float64:
		return ty == "number"
	case string:
		return ty == "string"
	case []any:
		return ty == "array"
	case map[string]any:
		return ty == "object"
	}
	return false
}
