local app = t.load "echo"

t.test("text comes back as text, binary as binary, and nothing else", function()
    local client = app:connect()
    t.equal(client:take(), nil)
    client:send "größer 🚀"
    client:sendBinary "\0\255"
    t.equal({ client:take() }, { "größer 🚀", false })
    t.equal({ client:take() }, { "\0\255", true })
    t.equal(client:take(), nil)
end)
