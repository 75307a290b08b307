package config

import (
	"fmt"
	"reflect"
	"strings"
)

// dump writes a Model without places, so that two models can be compared as text.
func dump(m *Model) string {
	var b strings.Builder
	c := *m
	c.Syntax, c.Files = "", nil
	write(&b, reflect.ValueOf(c), "")
	return b.String()
}

func write(b *strings.Builder, v reflect.Value, indent string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil\n")
			return
		}
		write(b, v.Elem(), indent)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(b, "%x\n", v.Bytes())
			return
		}
		b.WriteString("\n")
		for i := range v.Len() {
			b.WriteString(indent + "- ")
			write(b, v.Index(i), indent+"  ")
		}
	case reflect.Struct:
		t := v.Type()
		if s, ok := v.Interface().(fmt.Stringer); ok {
			b.WriteString(s.String() + "\n")
			return
		}
		b.WriteString("\n")
		for i := range t.NumField() {
			if n := t.Field(i).Name; n == "Pos" || n == "Meta" {
				continue
			}
			b.WriteString(indent + t.Field(i).Name + ": ")
			write(b, v.Field(i), indent+"  ")
		}
	default:
		fmt.Fprintf(b, "%v\n", v.Interface())
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return strings.Join(x[max(0, i-3):min(len(x), i+3)], "\n") + "\n--- other\n" + strings.Join(y[min(len(y), max(0, i-3)):min(len(y), i+3)], "\n")
		}
	}
	return ""
}
