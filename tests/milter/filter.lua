-- What filter.sh checks, by miltertest against the running sealgate-milter. Globals: socket,
-- eicar (a file). Each case prints "ok NAME" or "not ok NAME".

local function report(good, name, detail)
	if good then
		print("ok " .. name)
	else
		print("not ok " .. name)
		print("# " .. tostring(detail))
	end
end

local function must(result, what)
	if result ~= nil then
		error(what .. ": " .. result)
	end
end

-- A connection as Postfix makes it. daemon: {daemon_name}, routes: {sealgate_routes}.
local function connect(address, daemon, routes)
	local conn = mt.connect(socket)
	if conn == nil then
		error("no connection to " .. socket)
	end
	must(mt.negotiate(conn, 6, nil, nil), "negotiate")
	if routes ~= nil then
		must(mt.macro(conn, SMFIC_CONNECT, "{daemon_name}", daemon, "{sealgate_routes}", routes), "macro")
	else
		must(mt.macro(conn, SMFIC_CONNECT, "{daemon_name}", daemon or "smtpd"), "macro")
	end
	must(mt.conninfo(conn, "client.example", address or "127.0.0.1"), "conninfo")
	return conn
end

-- One message up to its end. fields: list of {name, value}; chunks: list of strings.
local function begin(conn, to, fields)
	must(mt.mailfrom(conn, "<alice@inside.example>"), "mailfrom")
	report(mt.getreply(conn) == SMFIR_CONTINUE, "MAIL is answered continue", mt.getreply(conn))
	for _, recipient in ipairs(to) do
		local host = recipient:match("@(.*)>")
		must(mt.macro(conn, SMFIC_RCPT, "{rcpt_mailer}", "smtp", "{rcpt_host}", host), "macro")
		must(mt.rcptto(conn, recipient), "rcptto")
		report(mt.getreply(conn) == SMFIR_CONTINUE, "RCPT is answered continue", mt.getreply(conn))
	end
	for _, field in ipairs(fields) do
		must(mt.header(conn, field[1], field[2]), "header")
	end
	must(mt.eoh(conn), "eoh")
end

local function finish(conn, chunks)
	for _, chunk in ipairs(chunks) do
		must(mt.bodystring(conn, chunk), "body")
	end
	must(mt.macro(conn, SMFIC_MAIL, "i", "4Xtest123"), "macro")
	must(mt.eom(conn), "eom")
	return mt.getreply(conn)
end

local function untouched(conn)
	return not (mt.eom_check(conn, MT_BODYCHANGE) or mt.eom_check(conn, MT_HDRADD) or
	    mt.eom_check(conn, MT_HDRCHANGE) or mt.eom_check(conn, MT_HDRDELETE) or
	    mt.eom_check(conn, MT_HDRINSERT) or mt.eom_check(conn, MT_RCPTADD, "<bob@partner.example>") or
	    mt.eom_check(conn, MT_RCPTDELETE, "<bob@partner.example>") or mt.eom_check(conn, MT_QUARANTINE))
end

local function fields(subject)
	return { { "From", " alice@inside.example" }, { "To", " bob@partner.example" },
	    { "Subject", subject }, { "Message-ID", " <milter@inside.example>" },
	    { "DKIM-Signature", " v=1; d=one.example" }, { "DKIM-Signature", " v=1; d=two.example" },
	    { "X-Odd", "no space" }, { "X-Folded", " first\n\tsecond" },
	    { "Content-Type", " text/plain; name=\"merger.txt\"" } }
end

-- ---- negotiation ----
local conn = connect()
for name, action in pairs({ ADDHDRS = SMFIF_ADDHDRS, CHGHDRS = SMFIF_CHGHDRS, CHGBODY = SMFIF_CHGBODY,
    QUARANTINE = SMFIF_QUARANTINE, CHGFROM = SMFIF_CHGFROM }) do
	report(mt.test_action(conn, action), "negotiation asks for " .. name)
end
report(not mt.test_action(conn, SMFIF_ADDRCPT), "negotiation does not ask to add recipients")
report(not mt.test_action(conn, SMFIF_DELRCPT), "negotiation does not ask to delete recipients")
for name, step in pairs({ HDR_LEADSPC = SMFIP_HDR_LEADSPC, NR_HDR = SMFIP_NR_HDR, NR_EOH = SMFIP_NR_EOH,
    NR_BODY = SMFIP_NR_BODY, NOHELO = SMFIP_NOHELO, NODATA = SMFIP_NODATA }) do
	report(mt.test_option(conn, step), "negotiation sets " .. name)
end
for name, step in pairs({ NOBODY = SMFIP_NOBODY, NOHDRS = SMFIP_NOHDRS, NOEOH = SMFIP_NOEOH,
    NORCPT = SMFIP_NORCPT, NOMAIL = SMFIP_NOMAIL, NOCONNECT = SMFIP_NOCONNECT }) do
	report(not mt.test_option(conn, step), "negotiation does not set " .. name)
end

-- ---- a plain message ----
begin(conn, { "<bob@partner.example>" }, fields(" Lunch"))
local reply = finish(conn, { "Noodles?\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "a plain message is accepted", reply)
report(untouched(conn), "a plain message is not touched")

-- ---- several on one connection: tagged, sealed in place ----
begin(conn, { "<bob@partner.example>" }, fields(" [secure] the plan"))
reply = finish(conn, { "The secret", " words", " in pieces\r", "\n.\r\n", "end\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "a tagged message is accepted", reply)
report(mt.eom_check(conn, MT_BODYCHANGE), "a tagged message gets another body")
report(not mt.eom_check(conn, MT_BODYCHANGE, "The secret words in pieces\r\n.\r\nend\r\n"),
    "the new body is not the old one")
report(mt.eom_check(conn, MT_HDRCHANGE, "Content-Type"), "Content-Type is changed")
report(not mt.eom_check(conn, MT_HDRCHANGE, "Content-Type", " text/plain; name=\"merger.txt\""),
    "Content-Type is not the old one")
report(mt.eom_check(conn, MT_HDRADD, "Content-Transfer-Encoding", " base64"),
    "an encoding is added with its leading space")
report(mt.eom_check(conn, MT_HDRCHANGE, "Subject"), "the tag leaves the subject")
report(mt.eom_check(conn, MT_HDRDELETE, "DKIM-Signature"), "old signatures go")
report(mt.eom_check(conn, MT_HDRDELETE, "X-Folded"), "fields that may tell something go")
report(not mt.eom_check(conn, MT_HDRDELETE, "From"), "From stays")
report(not mt.eom_check(conn, MT_HDRDELETE, "Message-ID"), "Message-ID stays")
report(not mt.eom_check(conn, MT_RCPTDELETE, "<bob@partner.example>") and not mt.eom_check(conn, MT_RCPTADD, "<bob@partner.example>"),
    "recipients are not touched")
report(not mt.eom_check(conn, MT_QUARANTINE), "it is not held")

-- ---- a plain one after it: nothing of the last message is left ----
begin(conn, { "<bob@partner.example>" }, fields(" Dinner"))
reply = finish(conn, { "Rice?\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "a plain one after a tagged one is accepted", reply)
report(untouched(conn), "a plain one after a tagged one is not touched")

-- ---- two recipients: marked ----
begin(conn, { "<bob@partner.example>", "<carol@partner.example>" }, fields(" [secure] for two"))
reply = finish(conn, { "The secret words\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "one for two recipients is accepted", reply)
report(mt.eom_check(conn, MT_HDRADD, "X-Sealgate-Mark"), "one for two recipients is marked")
report(not mt.eom_check(conn, MT_BODYCHANGE), "one for two recipients keeps its body in the queue")

-- ---- refusals come at the end of the message only ----
begin(conn, { "<eve@partner.example>" }, fields(" [secure] nothing is possible"))
reply = finish(conn, { "The secret words\r\n" })
report(reply == SMFIR_REPLYCODE, "an impossible one is refused at the end", reply)
report(untouched(conn), "an impossible one is not touched")

-- ---- abort ----
begin(conn, { "<bob@partner.example>" }, fields(" [secure] given up"))
must(mt.bodystring(conn, "The secret words\r\n"), "body")
must(mt.abort(conn), "abort")
begin(conn, { "<bob@partner.example>" }, fields(" After the abort"))
reply = finish(conn, { "Plain\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "a plain one after an abort is accepted", reply)
report(untouched(conn), "a plain one after an abort is not touched")

-- ---- no body, many chunks ----
begin(conn, { "<bob@partner.example>" }, fields(" [secure] no body"))
reply = finish(conn, {})
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "one without a body is sealed", reply)
report(mt.eom_check(conn, MT_BODYCHANGE), "one without a body gets one")
begin(conn, { "<bob@partner.example>" }, fields(" many chunks"))
-- plain: miltertest itself overruns a buffer on more than 1 KB of new body
for _ = 1, 40 do
	must(mt.bodystring(conn, string.rep("The words, again and again\r\n", 1000)), "body")
end
reply = finish(conn, {})
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "one of many chunks is accepted", reply)
report(untouched(conn), "one of many chunks is not touched")

-- ---- a virus: flagged mail is refused, other mail held (infected = hold) ----
begin(conn, { "<bob@partner.example>" }, fields(" a gift"))
must(mt.bodyfile(conn, eicar), "bodyfile")
reply = finish(conn, {})
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "a virus is accepted into the hold queue", reply)
report(mt.eom_check(conn, MT_QUARANTINE), "a virus is held")
begin(conn, { "<bob@partner.example>" }, fields(" [secure] a gift"))
must(mt.bodyfile(conn, eicar), "bodyfile")
reply = finish(conn, {})
report(reply == SMFIR_REPLYCODE, "a flagged virus is refused", reply)
report(not mt.eom_check(conn, MT_QUARANTINE), "a flagged virus is not held")
mt.disconnect(conn)

-- ---- connections that end badly leave the filter alive ----
conn = connect()
begin(conn, { "<bob@partner.example>" }, fields(" [secure] cut"))
must(mt.bodystring(conn, "The secret words\r\n"), "body")
mt.disconnect(conn, false)
conn = mt.connect(socket)
mt.disconnect(conn, false)
local a = connect()
local b = connect("192.0.2.77")
begin(a, { "<bob@partner.example>" }, fields(" [secure] side by side"))
begin(b, { "<bob@partner.example>" }, fields(" [secure] a stranger"))
must(mt.bodystring(a, "The secret words\r\n"), "body")
reply = finish(b, { "A stranger's words\r\n" })
report(reply == SMFIR_REPLYCODE, "an unproven sender of ours is refused, at the end", reply)
reply = finish(a, { "and more\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "the one beside it is accepted", reply)
report(mt.eom_check(a, MT_BODYCHANGE), "the one beside it is sealed")
mt.disconnect(a)
mt.disconnect(b)

-- ---- where Postfix has routes, sealed mail gets one ----
conn = connect(nil, "smtpd", "front smtp relay")
begin(conn, { "<bob@partner.example>" }, fields(" [secure] by a transport of ours"))
reply = finish(conn, { "The secret words\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "one to a routed transport is accepted", reply)
report(mt.eom_check(conn, MT_HDRADD, "X-Sealgate-Route", " sealed smtp"), "it gets the route of sealed mail")
report(mt.eom_check(conn, MT_BODYCHANGE), "it is sealed")
mt.disconnect(conn)
conn = connect(nil, "smtpd", "stage smtp relay")
begin(conn, { "<bob@partner.example>" }, fields(" [secure] by the second stage"))
reply = finish(conn, { "The secret words\r\n" })
report(reply == SMFIR_CONTINUE or reply == SMFIR_ACCEPT, "one that only the stage may route is accepted", reply)
report(mt.eom_check(conn, MT_HDRADD, "X-Sealgate-Mark"), "it is marked for the second stage")
report(not mt.eom_check(conn, MT_BODYCHANGE), "it is not sealed at the front")
mt.disconnect(conn)

-- ---- the second stage and the fallback take nothing without a mark ----
for _, daemon in ipairs({ "SEALGATE", "SEALGATE-FALLBACK" }) do
	for _, mark in ipairs({ "X-None", "X-Sealgate-Kept", "X-Sealgate-Mark" }) do
		conn = connect(nil, daemon, "front smtp relay")
		local given = fields(" the plan")
		table.insert(given, { mark, " v=1; t=inside; i=00; h=00" })
		begin(conn, { "<bob@partner.example>" }, given)
		reply = finish(conn, { "The secret words\r\n" })
		report(reply == SMFIR_REPLYCODE, daemon .. " refuses a message with " .. mark, reply)
		report(untouched(conn), daemon .. " does not touch a message with " .. mark)
		mt.disconnect(conn)
	end
end
