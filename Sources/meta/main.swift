import Language
while let line = readLine() {
    do {
        for f in try Reader.read(Source(name: "t", text: line)) { print(Printer.text(f.value)) }
    } catch { print(error) }
}
