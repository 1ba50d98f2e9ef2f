-- /echo: every message goes back unchanged, text as text and binary as binary.
-- Try it:  websocat ws://127.0.0.1:8080/echo

function onMessage(conn, message, binary)
    conn:send(message, binary)
end
