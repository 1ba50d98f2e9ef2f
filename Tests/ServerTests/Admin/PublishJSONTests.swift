// POST /v1/publish: the pushes of each body, and the bodies that are refused.

import JSON
import PerigeeTestKit
import Testing

@testable import Server

@Suite("Admin: pushing as JSON", .bounded)
struct PublishJSONTests {
    /// Body → what a subscriber of "news" gets.
    private let good: [(body: String, message: Message)] = [
        (#"{"channel":"news","data":"hello"}"#, .text("hello")),
        (
            #"{"channel":"news","data":"gr\u00f6\u00dfer \ud83d\ude80 \"\\\/\b\f\n\r\t"}"#,
            .text("größer 🚀 \"\\/\u{8}\u{C}\n\r\t")
        ),
        (#"{"channel":"news","data":""}"#, .text("")),
        (#"{"channel":"news","data":null}"#, .text("null")),
        (#"{"channel":"news","data":true}"#, .text("true")),
        (#"{"channel":"news","data":1.50}"#, .text("1.50")),
        (#"{"channel":"news","data":-0.0e+10}"#, .text("-0.0e+10")),
        (
            #"{"channel":"news","data":123456789012345678901234567890.000}"#,
            .text("123456789012345678901234567890.000")
        ),
        (#"{"channel":"news","data":["a" , "b"]}"#, .text(#"["a" , "b"]"#)),
        (#"{"channel":"news","data":[]}"#, .text("[]")),
        (
            #" { "data" : {"z":1, "a" : [ 1,2 ,{} ],"z":2,"u":"\u00f6"} , "channel" : "news" } "#,
            .text(#"{"z":1, "a" : [ 1,2 ,{} ],"z":2,"u":"\u00f6"}"#)
        ),
        (#"{"channel":"news","dataBase64":"AP+A"}"#, .binary([0, 0xFF, 0x80])),
        (#"{"channel":"news","dataBase64":""}"#, .binary([])),
        (#"{"ch\u0061nnel":"n\u0065ws","data":"escaped"}"#, .text("escaped")),
    ]

    /// Body → the code of the refusal.
    private static let bad: [(body: String, code: String)] = [
        ("", "json_invalid"), ("hello", "json_invalid"), ("[]", "json_invalid"), ("\"x\"", "json_invalid"),
        ("{", "json_invalid"), ("{}", "json_invalid"), (#"{"channel":"news"}"#, "json_invalid"),
        (#"{"data":"x"}"#, "json_invalid"), (#"{"channel":"news","data":"x"} x"#, "json_invalid"),
        (#"{"channel":"news","data":"x",}"#, "json_invalid"), (#"{'channel':'news','data':'x'}"#, "json_invalid"),
        (#"{"channel":"news","data":"x","colour":"red"}"#, "json_invalid"),
        (#"{"channel":"news","data":"x","data":"y"}"#, "json_invalid"),
        (#"{"channel":"news","data":"x","dataBase64":"AA=="}"#, "json_invalid"),
        (#"{"channel":"news","dataBase64":"A"}"#, "json_invalid"),
        (#"{"channel":"news","dataBase64":"AB=="}"#, "json_invalid"),
        (#"{"channel":"news","dataBase64":1}"#, "json_invalid"), (#"{"channel":1,"data":"x"}"#, "json_invalid"),
        (#"{"channel":null,"data":"x"}"#, "json_invalid"), (#"{"channels":[],"data":"x"}"#, "json_invalid"),
        (#"{"channels":["a",1],"data":"x"}"#, "json_invalid"), (#"{"channels":"a","data":"x"}"#, "json_invalid"),
        (#"{"channel":"a","channels":["b"],"data":"x"}"#, "json_invalid"),
        (#"{"channel":"a","user":"b","data":"x"}"#, "json_invalid"),
        (#"{"user":"a","exclude":"00000000000000000000000","data":"x"}"#, "json_invalid"),
        (#"{"channel":"news","data":"\ud800"}"#, "json_invalid"), (#"{"channel":"news","data":01}"#, "json_invalid"),
        (#"{"channel":"","data":"x"}"#, "channel_name_invalid"),
        (#"{"channel":"a\u0000","data":"x"}"#, "channel_name_invalid"),
        (#"{"channels":["a","\n"],"data":"x"}"#, "channel_name_invalid"),
        (#"{"connection":"nobody","data":"x"}"#, "connection_not_found"),
        (#"{"connection":"00000000000000000000000","data":"x"}"#, "connection_not_found"),
        (#"{"channel":"news","data":"x","exclude":"me"}"#, "parameter_invalid"),
        (#"{"channel":"news","data":"x","exclude":1}"#, "json_invalid"),
    ]

    @Test("pushes strings as text, other JSON as written, Base64 as binary")
    func pushes() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let admin = HTTPClient(port: server.adminPort)
            for row in good {
                let answer = try admin.request("POST", "/v1/publish", body: row.body)
                #expect(answer.status == 200, "\(row.body): \(answer)")
                #expect(try answer.json()["channel"] == "news")
                #expect(try client.socket.receive() == row.message)
            }
        }
    }

    @Test("a body with a member that is not understood is refused whole")
    func refuses() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news&channel=a&channel=b&user=a")
            let admin = HTTPClient(port: server.adminPort)
            for row in Self.bad {
                let answer = try admin.request("POST", "/v1/publish", body: row.body)
                #expect(answer.status == (row.code == "connection_not_found" ? 404 : 400), "\(row.body)")
                #expect(answer.errorCode == row.code, "\(row.body): \(answer)")
            }
            let notUTF8 = try admin.request("POST", "/v1/publish", body: Array("{\"channel\":\"".utf8) + [0xFF])
            #expect(notUTF8.errorCode == "json_invalid")
            #expect(try client.socket.receiveAll() == [])
        }
    }

    @Test("an unknown member is named in the refusal, with those that are known")
    func unknownMember() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let body = #"{"chanel":"news","data":"x"}"#
            let message = try server.ask("POST", "/v1/publish", body: body).json()["error"]?["message"]?.string
            #expect(
                message == "the member \"chanel\" is not one of: "
                    + "channel, channels, connection, data, dataBase64, exclude, idempotencyKey, key, user")
        }
    }

    @Test("each of several channels gets the message, with results in order")
    func channels() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let both = try Client.onBothWorkers(server, "/?channel=a&channel=b")
            let one = try Client(server, "/?channel=b")
            let body = #"{"channels":["b","nobody","a"],"data":"x","exclude":"EXCLUDED"}"#
                .replacing("EXCLUDED", with: both[0].id)
            let results = try server.ask("POST", "/v1/publish", body: body).json()["results"]?.array
            #expect(results?.map { $0["channel"]?.string } == ["b", "nobody", "a"])
            #expect(results?.map { $0["matched"]?.int } == [both.count, 0, both.count - 1])
            #expect(try both[0].socket.receiveAll() == [])
            #expect(try both[1].socket.receiveAll() == [.text("x"), .text("x")])
            #expect(try one.socket.receiveAll() == [.text("x")])
            let hundred = (1...100).map { "\"c\($0)\"" }.joined(separator: ",")
            #expect(try server.ask("POST", "/v1/publish", body: "{\"channels\":[\(hundred)],\"data\":0}").status == 200)
            let more = "{\"channels\":[\(hundred),\"c101\"],\"data\":0}"
            #expect(try server.ask("POST", "/v1/publish", body: more).errorCode == "json_invalid")
        }
    }

    @Test("a user and a connection can be named as well")
    func direct() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let ada = try Client(server, "/?user=ada")
            let bob = try Client(server, "/?user=bob")
            let toUser = try server.ask("POST", "/v1/publish", body: #"{"user":"ada","data":{"n":1}}"#).json()
            #expect(toUser["matched"] == 1)
            let body = "{\"connection\":\"\(bob.id)\",\"dataBase64\":\"AQ==\"}"
            #expect(try server.ask("POST", "/v1/publish", body: body).json()["matched"] == 1)
            #expect(try ada.socket.receiveAll() == [.text(#"{"n":1}"#)])
            #expect(try bob.socket.receiveAll() == [.binary([1])])
        }
    }
}
