package console

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// colours reads the custom properties of a part of the style sheet.
func colours(css string) map[string][3]float64 {
	out := map[string][3]float64{}
	for _, m := range regexp.MustCompile(`--([a-z]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		var c [3]float64
		for i := range c {
			n, _ := strconv.ParseUint(m[2][2*i:2*i+2], 16, 8)
			if c[i] = float64(n) / 255; c[i] <= 0.04045 {
				c[i] /= 12.92
			} else {
				c[i] = math.Pow((c[i]+0.055)/1.055, 2.4)
			}
		}
		out[m[1]] = c
	}
	return out
}

// contrast is that of WCAG 2.2.
func contrast(a, b [3]float64) float64 {
	light := func(c [3]float64) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }
	return (max(light(a), light(b)) + 0.05) / (min(light(a), light(b)) + 0.05)
}

// TestContrast holds level AA of WCAG 2.2: 4.5 for text, 3 for what else has to be
// seen.
func TestContrast(t *testing.T) {
	css, err := embedded.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, found := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("there are no dark colours")
	}
	for name, c := range map[string]map[string][3]float64{"light": colours(light), "dark": colours(dark)} {
		least := func(ratio float64, front string, backs ...string) {
			for _, back := range backs {
				if got := contrast(c[front], c[back]); got < ratio || math.IsNaN(got) {
					t.Errorf("%s: %s on %s is %.2f, less than %v", name, front, back, got, ratio)
				}
			}
		}
		for _, text := range []string{"ink", "soft", "main", "good", "fair", "bad"} {
			least(4.5, text, "paper", "raised")
		}
		least(4.5, "ink", "badtint", "goodtint")
		least(4.5, "paper", "main")
		for _, mark := range []string{"firm", "fairfill", "badfill", "main"} {
			least(3, mark, "paper", "raised")
		}
		if len(c) < 13 {
			t.Error(fmt.Sprint("colours are missing: ", c))
		}
	}
}

// Nothing is loaded from elsewhere, and nothing is in a page that its policy
// forbids.
func TestAssets(t *testing.T) {
	names := []string{"assets/style.css", "assets/live.js", "assets/icon.svg"}
	for _, dir := range []string{"templates", "templates/shared"} {
		entries, err := embedded.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !e.IsDir() {
				names = append(names, dir+"/"+e.Name())
			}
		}
	}
	for _, name := range names {
		text, err := embedded.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?i)https?://|@import|url\(|innerHTML|<style| style=|<script>| on[a-z]+=|eval\(`).FindAllString(strings.ReplaceAll(string(text), "http://www.w3.org/2000/svg", ""), -1)
		if len(found) > 0 {
			t.Errorf("%s has %q", name, found)
		}
	}
}
