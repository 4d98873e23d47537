package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/wasgi/wasgi/tenants"
)

const head = `<!-- Generated from tenants/manifest.go by go generate ./tenants. -->

# wasgi.toml

`

// render makes the reference from the source of the struct.
func render(source string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
	if err != nil {
		return "", err
	}
	defaults, err := defaultTree()
	if err != nil {
		return "", err
	}
	r := &renderer{structs: structsOf(file)}
	r.out.WriteString(head)
	r.out.WriteString("The manifest is " + strings.TrimPrefix(r.structs["Manifest"].doc, "Manifest is "))
	r.table("Manifest", "", defaults)
	return r.out.String(), nil
}

// defaultTree is Defaults as TOML writes it.
func defaultTree() (map[string]any, error) {
	data, err := toml.Marshal(tenants.Defaults())
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	return tree, toml.Unmarshal(data, &tree)
}

// structure is a struct type with the comment above it.
type structure struct {
	doc    string
	fields []*ast.Field
}

func structsOf(file *ast.File) map[string]structure {
	all := map[string]structure{}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			t := spec.(*ast.TypeSpec)
			if s, ok := t.Type.(*ast.StructType); ok {
				all[t.Name.Name] = structure{g.Doc.Text(), s.Fields.List}
			}
		}
	}
	return all
}

type renderer struct {
	structs map[string]structure
	out     strings.Builder
}

// table writes the keys of one table, then the tables in it.
func (r *renderer) table(name, prefix string, defaults map[string]any) {
	var tables []*ast.Field
	for _, f := range r.structs[name].fields {
		if _, ok := r.structs[typeName(f.Type)]; ok {
			tables = append(tables, f)
			continue
		}
		if key := keyOf(f); key != "" {
			r.key(key, f, defaults[key])
		}
	}
	for _, f := range tables {
		key := keyOf(f)
		fmt.Fprintf(&r.out, "\n## [%s%s]\n\n%s", prefix, key, sentence(f.Doc.Text(), key))
		inner, _ := defaults[key].(map[string]any)
		r.table(typeName(f.Type), prefix+key+".", inner)
	}
}

func (r *renderer) key(key string, f *ast.Field, value any) {
	fmt.Fprintf(&r.out, "\n### %s\n\n%s\n%s\n", key, strings.TrimSpace(f.Doc.Text()), typeText(f.Type, value))
}

// sentence makes a field's comment stand alone below its own heading.
func sentence(doc, key string) string {
	rest := strings.TrimPrefix(doc, key+" ")
	return strings.ToUpper(rest[:1]) + rest[1:]
}

func typeText(t ast.Expr, value any) string {
	kind := map[string]string{
		"string": "Text", "Isolation": "Text", "IsolationLevel": "Text", "int": "Whole number", "bool": "true or false",
		"Size": "Size", "Duration": "Time span", "[]string": "List of texts", "map[string]string": "Table of texts",
	}[typeName(t)]
	if v := reflect.ValueOf(value); value == nil || v.Kind() == reflect.String && v.Len() == 0 || v.Kind() == reflect.Slice && v.Len() == 0 {
		return "\n" + kind + "; default: none."
	}
	if s, ok := value.(string); ok {
		value = fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("\n%s; default: `%v`.", kind, value)
}

func typeName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.ArrayType:
		return "[]" + typeName(t.Elt)
	case *ast.MapType:
		return "map[" + typeName(t.Key) + "]" + typeName(t.Value)
	}
	return ""
}

// keyOf is the TOML key of a field, "" when it has none.
func keyOf(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	key := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("toml")
	return strings.TrimPrefix(key, "-")
}
