// Package demo plays the App against the GitHub stand-in, with an organisation
// of sample repositories.
package demo

import (
	"bytes"
	"embed"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"

	"dhibot/bot/standin"
)

// The samples are txtar archives: a directory with a go.mod cannot be embedded.
//
//go:embed samples/*.txtar
var archives embed.FS

// sample is a repository of the demo.
type sample struct {
	name, description string
	files             standin.Files
}

// samples are the applications of the migration guide, small but real: they
// build, their tests pass and they run.
func samples() ([]sample, error) {
	list := []sample{
		{name: "greeter", description: "A web service in Go"},
		{name: "gallery", description: "A web server in Node.js"},
		{name: "painter", description: "A program in Python"},
	}
	for i := range list {
		s := &list[i]
		text, err := fs.ReadFile(archives, "samples/"+s.name+".txtar")
		if err != nil {
			return nil, fmt.Errorf("reading the sample %s: %w", s.name, err)
		}
		s.files = standin.Txtar(string(text))
	}
	var jpegs, pngs bytes.Buffer
	if err := jpeg.Encode(&jpegs, picture(), nil); err != nil {
		return nil, fmt.Errorf("drawing image.jpg: %w", err)
	}
	if err := png.Encode(&pngs, picture()); err != nil {
		return nil, fmt.Errorf("drawing image.png: %w", err)
	}
	list[1].files["image.jpg"] = standin.File{Content: jpegs.String()}
	list[2].files["image.png"] = standin.File{Content: pngs.String()}
	return list, nil
}

// picture is a sunset of 64 by 48 pixels: sky, sea and a sun.
func picture() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			c := color.RGBA{0xff - uint8(y), 0x80 + uint8(y), 0x60, 0xff}
			if y >= 32 {
				c = color.RGBA{0x10, 0x40 + uint8(y), 0x90, 0xff}
			}
			if dx, dy := x-44, y-24; dx*dx+dy*dy < 64 && y < 32 {
				c = color.RGBA{0xff, 0xf0, 0xa0, 0xff}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}
