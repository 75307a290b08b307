package config

import (
	"net/netip"
	"reflect"
)

var (
	posType    = reflect.TypeFor[Pos]()
	metaType   = reflect.TypeFor[Meta]()
	addrType   = reflect.TypeFor[netip.Addr]()
	prefixType = reflect.TypeFor[netip.Prefix]()
)

// Same says that two parts of two Models ask for the same: places in the file do not count. Both must have the same type.
func Same(a, b any) bool { return same(reflect.ValueOf(a), reflect.ValueOf(b)) }

func same(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	t := a.Type()
	if t != b.Type() {
		return false
	}
	switch t {
	case posType, metaType:
		return true
	case addrType, prefixType:
		return a.Interface() == b.Interface()
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	}
	return a.Equal(b)
}
