// The compressed forms of the frame that was last sent to clients with small windows. Subscribers get a publication one
// after the other, so remembering one frame is enough to compress it once for each size of window.

/// A cache of one frame's forms.
struct NarrowFrames {
    private var source: Frame?
    private var forms = [Frame?](repeating: nil, count: 16)

    /// The form of `frame` for a window, made by `compress` if it is not known.
    mutating func form(of frame: Frame, windowBits: Int, _ compress: () -> Frame) -> Frame {
        if let source, source === frame {
            if let form = forms[windowBits] { return form }
        } else {
            forget()
            source = frame
        }
        let form = compress()
        forms[windowBits] = form
        return form
    }

    /// Lets go of the frame and its forms.
    mutating func forget() {
        guard source != nil else { return }
        source = nil
        for index in forms.indices { forms[index] = nil }
    }
}
